"""A host's own look is judged as the operator's is; the weekly one also reads records back."""

import pytest

from himari.runs.self_check import judge_read_back


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ('{"records": 5, "duplicates": 0, "unparsed": 0}', ""),
        ('{"records": 5, "duplicates": 2, "unparsed": 0}', "2 records twice"),
        ('{"records": 5, "duplicates": 0, "unparsed": 1}', "1 frames that nobody could read"),
        ('{"records": 0, "duplicates": 0, "unparsed": 0}', "no record"),
        ("", "cannot be read back"),
    ],
)
def test_records_that_were_read_back(said: str, wrong: str) -> None:
    found = "; ".join(judge_read_back("store", said))
    assert wrong in found
    assert bool(found) is bool(wrong)

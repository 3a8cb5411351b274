import pytest

from himari.stack import errors
from himari.stack.errors import HimariError


def test_each_kind_of_failure_has_an_exit_code_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HimariError)]
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    assert all(0 < kind.exit_code < 126 for kind in kinds)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (HimariError("no"), "no"),
        (HimariError("no", "a.toml: b", "c", "do d"), "a.toml: b: no: expected c: do d"),
        (HimariError("no", hint="do d"), "no: do d"),
    ],
)
def test_an_error_reads_as_one_sentence(error: HimariError, text: str) -> None:
    assert str(error) == text

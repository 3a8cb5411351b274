import re

import pytest

from himari.catalog.queries import names, query

ALL = names("graph")


@pytest.mark.parametrize("name", ALL)
def test_a_query_says_what_it_answers_and_what_it_is_given(name: str) -> None:
    text = query("graph", name)
    head = [line for line in text.splitlines() if line.startswith("//")]
    told = {match[1] for line in head if (match := re.match(r"// \$(\w+) ", line))}
    used = set(re.findall(r"\$(\w+)", "\n".join(line for line in text.splitlines() if not line.startswith("//"))))
    assert head[0].endswith(".")
    assert told == used


def test_a_query_that_there_is_not_is_named() -> None:
    with pytest.raises(KeyError, match="graph/none"):
        query("graph", "none")

"""docs/stack-files.md lists every key as the model declares it."""

from himari.stack.reference import PAGE, reference, with_reference
from himari.stack.schema import fields
from himari.stack.tables import TABLES


def test_the_page_is_current() -> None:
    page = PAGE.read_text()
    assert with_reference(page) == page, "bring it up to date: python -m himari.stack.reference"


def test_each_key_of_each_table_is_listed_with_its_meaning() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) == sum(len(fields(table)) for table in TABLES.values())
    assert all(row.split("|")[3].strip() for row in rows)

"""The page about hardening is what the checks themselves say, and the suite is as large as it should be."""

from himari.proof.hardening import PAGE, page, suite


def test_the_page_is_what_the_checks_say() -> None:
    assert PAGE.read_text() == page(), "`.venv/bin/python -m himari.proof.hardening` writes it anew"


def test_each_group_has_its_checks() -> None:
    least = {"ssh": 10, "Firewall": 5, "Kernel": 8, "System": 11}
    held = {group: len(rows) for group, rows in suite().items()}
    assert held.keys() == least.keys()
    assert all(held[group] >= count for group, count in least.items()), held


def test_no_check_is_listed_twice() -> None:
    ids = [row.id for rows in suite().values() for row in rows]
    assert len(ids) == len(set(ids))

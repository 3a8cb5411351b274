"""Which of the machine's apt sources a lab's image is made from."""

import pytest

from himari.lab import sources

OWN = "Types: deb\nURIs: http://archive.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"


def test_a_stanza_of_the_release_is_ours() -> None:
    assert sources.own_stanza(OWN, "bookworm")


@pytest.mark.parametrize("other", ["Suites: nodistro", "Suites: bookworm tools", "Suites: trixie"])
def test_a_stanza_of_somebody_else_is_not(other: str) -> None:
    assert not sources.own_stanza(OWN.replace("Suites: bookworm bookworm-updates", other), "bookworm")


def test_a_disabled_stanza_is_not() -> None:
    assert not sources.own_stanza(OWN + "Enabled: no\n", "bookworm")


def test_a_one_line_source_becomes_a_stanza() -> None:
    line = "deb [arch=amd64 signed-by=/k.gpg] http://archive.example/debian bookworm main contrib"
    assert sources.own_line(line, "bookworm")
    assert not sources.own_line(line.replace("bookworm", "tools-bookworm"), "bookworm")
    assert sources.deb822(line) == (
        "Types: deb\nURIs: http://archive.example/debian\nSuites: bookworm\nComponents: main contrib\nSigned-By: /k.gpg"
    )


def test_only_what_decides_reachability_is_taken_over() -> None:
    dump = 'Acquire "";\nAcquire::http::Proxy "http://p:1";\nAcquire::Check-Date "false";\nAPT::Foo "1";\n'
    assert sources.reach(dump) == ('Acquire::http::Proxy "http://p:1";', 'Acquire::Check-Date "false";')

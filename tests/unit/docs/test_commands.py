"""What README and docs tell to type exists: verbs, options, make targets, files, and stack files that load."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from himari.cli import faults
from himari.cli.main import EXIT_CODES, app
from himari.stack.load import parse_stack
from himari.stack.paths import INVENTORIES, PROJECT
from himari.stack.tables import keyed

PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md")))
FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:himari|make) [^`]+)`")
TARGETS = set(re.findall(r"^(\w+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))


def blocks(page: Path, language: str) -> Iterator[str]:
    return (text for kind, text in FENCED.findall(page.read_text()) if kind == language)


def commands(page: Path) -> Iterator[list[str]]:
    """Each command of the page that is ours, as words without the variables before it."""
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    for line in (*lines, *INLINE.findall(page.read_text())):
        for part in re.split(r"[|>]| && ", line.partition("  #")[0]):
            words = [word for word in shlex.split(part) if not re.match(r"[A-Z_]+=", word)]
            if words and words[0] in {"himari", "make"}:
                yield words


ALL = [(page, words) for page in PAGES for words in commands(page)]


@pytest.mark.parametrize(("page", "words"), ALL, ids=[f"{page.name}: {shlex.join(words)}" for page, words in ALL])
def test_a_command_of_the_docs_exists(page: Path, words: list[str]) -> None:
    if words[0] == "make":
        assert set(words[1:]) <= TARGETS
        return
    verbs, options = accepted(words[1:])
    assert verbs
    given = {word.partition("=")[0] for word in before_dashes(words) if word.startswith("-")}
    assert given <= options


def before_dashes(words: list[str]) -> list[str]:
    return words[: words.index("--")] if "--" in words else words


def accepted(words: list[str]) -> tuple[list[str], set[str]]:
    """The verbs that the words name, and the options that the last of them takes."""
    command = typer.main.get_command(app)
    verbs: list[str] = []
    for word in words:
        verb = getattr(command, "commands", {}).get(word)
        if verb is None:
            break
        command, verbs = verb, [*verbs, word]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return verbs or ([command.name or ""] if words[0].startswith("-") else []), options


def test_each_verb_of_the_faults_prints_json_as_the_page_says() -> None:
    assert "each verb's faults with `--json`" in (PROJECT / "docs" / "breaking-the-lab.md").read_text()
    verbs = [command.name or "" for command in faults.app.registered_commands]
    assert verbs
    assert [verb for verb in verbs if "--json" not in accepted(["lab", verb])[1]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_stack_file_s_fragment_has_keys_that_exist(page: Path) -> None:
    whole = tomllib.loads((INVENTORIES / "vps-brain.toml").read_text())
    for block in blocks(page, "toml"):
        tables = tomllib.loads(block)
        for key, said, table in keyed(tables):
            assert set(said) <= set(table.__struct_fields__), key
    assert parse_stack((INVENTORIES / "vps-brain.toml").read_text(), "vps-brain.toml").name == whole["stack"]["name"]


def test_the_fragments_of_the_stack_files_page_make_a_stack() -> None:
    text = "\n".join(blocks(PROJECT / "docs" / "stack-files.md", "toml"))
    brain = (INVENTORIES / "vps-brain.toml").read_text().partition("[hosts.brain]")
    assert parse_stack(f"{text}\n{brain[1]}{brain[2]}", "fragments").name == "tokyo"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_page(page: Path) -> None:
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


def links(page: Path) -> list[str]:
    """What a page leads to in this repository."""
    return [link for link in re.findall(r"(?<!!)\[[^]]*\]\(([^)#]+)[^)]*\)", page.read_text()) if "://" not in link]


def test_each_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set[Path](), [PROJECT / "README.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        ahead += {(page.parent / link).resolve() for link in links(page) if link.endswith(".md")} - reached
    assert [page.name for page in PAGES if page not in reached] == []


def test_what_troubleshooting_quotes_is_said_by_the_code() -> None:
    rows = [
        line for line in (PROJECT / "docs" / "troubleshooting.md").read_text().splitlines() if line.startswith("| ")
    ]
    quoted = [words for row in rows for words in re.findall(r'"([^"]+)"', row.split("|")[1])]
    code = "".join(
        path.read_text() for folder in ("himari", "runtime/himari_runtime") for path in (PROJECT / folder).rglob("*.py")
    )
    assert quoted
    assert [words for words in quoted if words not in code] == []


def test_troubleshooting_names_each_exit_code() -> None:
    text = (PROJECT / "docs" / "troubleshooting.md").read_text()
    codes = re.findall(r"^  (\d+) ", EXIT_CODES, re.MULTILINE)
    assert [code for code in codes if code != "0" and f"| exit {code}" not in text] == []


def test_what_the_docs_show_of_pyinfra_needs_no_terminal() -> None:
    lines = [line for page in PAGES for line in re.findall(r"pyinfra \S+\.py .*", page.read_text())]
    assert lines
    assert [line for line in lines if "-y" not in shlex.split(line)] == []


def test_what_pyinfra_leaves_in_a_checkout_is_ignored_by_git() -> None:
    argv = ["git", "check-ignore", "-q", "pyinfra-debug.log"]
    assert subprocess.run(argv, cwd=PROJECT, check=False).returncode == 0

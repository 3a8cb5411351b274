"""The search really runs, here, over a tree in which values were planted."""

import base64
import gzip
import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from himari.proof.leak_agent import CHUNK, needles
from himari.proof.leaks import HERE, Leak, Search, on_host, on_this_machine, operators, program, watching
from himari.ssh.connection import Reach
from himari.stack.errors import HostError
from himari.stack.known import KnownHost
from himari.stack.paths import StateDir

VALUE = "5f" * 32
VALUES = {"redis-reader": VALUE, "redis-writer": "a7" * 32}
ENVIRON = b"PATH=/bin\0PASSWORD=" + VALUE.encode() + b"\0"


@pytest.fixture
def tree(tmp_path: Path) -> Search:
    """A machine without a leak: logs, a journal, a process, and a vault that is not searched."""
    for name in ("log", "vault", "proc/12"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "log" / "service.log").write_text("all is well\n")
    (tmp_path / "vault" / "redis-reader").write_text(VALUE)
    (tmp_path / "journal").write_text("MESSAGE=all is well\n")
    for name, content in (("cmdline", b"/bin/service\0--listen"), ("environ", b"PATH=/bin\0"), ("comm", b"service\n")):
        (tmp_path / "proc" / "12" / name).write_bytes(content)
    return Search(
        folders=[str(tmp_path / "log"), str(tmp_path / "vault")],
        skipped=[str(tmp_path / "vault")],
        journal=["cat", str(tmp_path / "journal")],
        proc=str(tmp_path / "proc"),
    )


def found(tree: Search) -> list[tuple[str, str]]:
    return [(Path(leak.place).name, leak.name) for leak in on_this_machine(VALUES, tree).leaks]


def test_a_machine_without_a_leak_says_how_much_was_looked_at(tree: Search, tmp_path: Path) -> None:
    looked = on_this_machine(VALUES, tree)
    assert (looked.files, looked.processes, looked.leaks) == (1, 1, ())
    assert found(msgspec.structs.replace(tree, skipped=())) == [("redis-reader", "redis-reader")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("service.log", f"login with {VALUE}\n".encode()),
        ("old.gz", gzip.compress(f"login with {VALUE}\n".encode())),
        ("old.xz", lzma.compress(f"login with {VALUE}\n".encode())),
        ("named.gz", VALUE.encode()),
        ("binary", b"\0\xff" + VALUE.encode() + b"\0"),
    ],
)
def test_a_value_in_a_file_is_found_and_never_told(tree: Search, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "log" / name).write_bytes(content)
    looked = on_this_machine(VALUES, tree)
    assert looked.leaks == (Leak(host=HERE, place=str(tmp_path / "log" / name), name="redis-reader"),)
    assert VALUE not in repr(looked)


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", "a user and "])
def test_a_value_in_base64_is_found_wherever_it_begins(tree: Search, tmp_path: Path, before: str) -> None:
    (tmp_path / "log" / "service.log").write_bytes(base64.b64encode(f"{before}{VALUE} and more".encode()))
    assert found(tree) == [("service.log", "redis-reader in base64")]


def test_a_value_that_two_reads_share_is_found(tree: Search, tmp_path: Path) -> None:
    for before in (CHUNK - 1, CHUNK - len(VALUE) + 1, CHUNK - 7):
        (tmp_path / "log" / "service.log").write_bytes(b" " * before + VALUE.encode() + b"\n")
        assert found(tree) == [("service.log", "redis-reader")]


def test_a_value_in_the_journal_and_in_processes_is_found(tree: Search, tmp_path: Path) -> None:
    (tmp_path / "journal").write_text(f"_CMDLINE=redis-cli -a {VALUE}\n")
    (tmp_path / "proc" / "12" / "environ").write_bytes(ENVIRON)
    (tmp_path / "proc" / "12" / "cmdline").write_bytes(b"redis-cli\0-a\0" + VALUES["redis-writer"].encode())
    assert found(tree) == [
        ("cmdline of service (12)", "redis-writer"),
        ("environ of service (12)", "redis-reader"),
        ("the journal", "redis-reader"),
    ]


def test_what_goes_while_it_is_read_is_no_failure(tree: Search, tmp_path: Path) -> None:
    (tmp_path / "log" / "cut.gz").write_bytes(gzip.compress(b"x" * 1000)[:30])
    (tmp_path / "log" / "link").symlink_to(tmp_path / "vault" / "redis-reader")
    os.mkfifo(tmp_path / "log" / "pipe")
    (tmp_path / "proc" / "13").mkdir()
    assert found(tree) == []


def here(folder: Path) -> Reach:
    return Reach("edge", KnownHost(address="local"), folder / "config")


def test_a_host_is_searched_by_what_it_is_sent(tree: Search, tmp_path: Path) -> None:
    (tmp_path / "proc" / "12" / "environ").write_bytes(ENVIRON)
    looked = on_host(here(tmp_path), VALUES, tree)
    assert [str(leak) for leak in looked.leaks] == ["edge: environ of service (12): redis-reader"]
    assert (looked.files, looked.processes) == (1, 1)


def test_a_host_whose_search_fails_proves_nothing(tree: Search, tmp_path: Path) -> None:
    broken = Search(folders=tree.folders, journal=("there-is-no-such-command",), proc=tree.proc)
    with pytest.raises(HostError, match="the search for leaks ended with 1"):
        on_host(here(tmp_path), VALUES, broken)


def test_the_search_itself_leaks_nothing(tree: Search) -> None:
    """While it runs, the values are in none of its own arguments and variables, nor in those of its parents."""
    itself = Search(folders=tree.folders, skipped=tree.skipped, journal=())
    argv = [sys.executable, "-"]
    done = subprocess.run(argv, input=program(VALUES, itself), capture_output=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["found"] == []
    assert answer["processes"] > 1


def test_a_short_process_is_seen_while_it_is_watched() -> None:
    with watching(VALUES) as seen, subprocess.Popen(["sleep", "60"], env={"PASSWORD": VALUE}) as running:
        while not seen and running.poll() is None:
            os.sched_yield()
        running.kill()
    assert {(leak.place, leak.name) for leak in seen} == {(f"environ of sleep ({running.pid})", "redis-reader")}


def test_without_values_nothing_is_proven(tmp_path: Path) -> None:
    for values in ({}, {"short": "s3cret"}):
        with pytest.raises(ValueError, match="nothing to search for"), watching(values):
            pass


def test_the_operators_machine_is_searched_but_for_the_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path))
    state = StateDir(tmp_path / "tokyo")
    (state.secrets / "ca").mkdir(parents=True)
    for path in (
        state.secrets / "redis-reader",
        state.evidence,
        state.path / "put.json",
        tmp_path / "faults" / "x.log",
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text(VALUE)
    where = operators(state)
    folders = [folder for folder in where.folders if folder != "/var/log"]
    looked = on_this_machine(VALUES, Search(folders=folders, skipped=where.skipped, journal=(), proc=str(tmp_path)))
    assert {Path(leak.place).name for leak in looked.leaks} == {"evidence.json", "put.json", "x.log"}


def test_each_value_is_sought_in_four_forms() -> None:
    assert len(needles({"x": VALUE})) == 4

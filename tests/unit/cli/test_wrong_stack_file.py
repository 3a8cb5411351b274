"""A stack file that is wrong, cannot be read, or says what does not fit; and arguments that contradict."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from himari.stack.paths import INVENTORIES
from tests.unit.cli.refusals import Himari, refused

VPS_BRAIN = (INVENTORIES / "vps-brain.toml").read_text()


def replaced(old: str, new: str) -> str:
    assert VPS_BRAIN.count(old) == 1
    return VPS_BRAIN.replace(old, new)


WRONG = {
    "unknown key": (
        replaced('name = "vps-brain"', 'nmae = "vps-brain"'),
        "stack.nmae",
        ("unknown key 'nmae'", "expected: one of name, budget_usd", "hint: did you mean name?"),
    ),
    "unknown table": (replaced("[alerts]", "[alertz]"), "alertz", ("hint: did you mean alerts?",)),
    "wrong type": (
        replaced("frames_per_s = 400 ", 'frames_per_s = "fast" '),
        "venues.binance.frames_per_s",
        ("'fast' is not possible", "expected: a number, got text"),
    ),
    "no table": ("[stack]\nname = 'x'\n[hosts]\nedge = 3\n", "hosts.edge", ("3 is no table", "expected: [hosts.edge]")),
    "wrong name": (VPS_BRAIN + "[hosts.Edge_1]\n", "hosts.Edge_1", ("no possible name", "a lower-case letter")),
    "missing key": (replaced("frames_per_s = 400 ", "# "), "venues.binance.frames_per_s", ("the key is missing",)),
    "duplicate host": (replaced("\n[hosts.brain]", "\n[hosts.edge]"), ".toml:", ("[hosts.edge] is there twice",)),
    "one machine twice": (
        replaced('address = "203.0.113.10" ', 'address = "local" '),
        "hosts.edge.address",
        ("local is given to more than one host",),
    ),
    "unknown role": (
        replaced('roles = ["brain"]', 'roles = ["brian"]'),
        "hosts.brain.roles",
        ("unknown role 'brian'", "exchange or edge or brain", "hint: did you mean brain?"),
    ),
    "overlapping networks": (
        replaced("[network]", '[network]\nwireguard = "198.51.0.0/16"'),
        "network.wireguard",
        ("198.51.0.0/16 overlaps 198.51.100.0/24 (access.ssh_from[0])", "networks that share no address"),
    ),
    "malformed": (replaced("[access]", "[access"), ".toml:", ("not TOML", "at line")),
    "empty": ("", "vps-brain.toml", ("says nothing", "[stack], [venues.NAME] and [hosts.NAME]")),
}


@pytest.mark.parametrize(("text", "where", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_stack_file_names_file_and_key(
    himari: Himari, stack_file: Path, text: str, where: str, said: tuple[str, ...]
) -> None:
    stack_file.write_text(text)
    done = himari("plan", str(stack_file))
    refused(done, 2, where, str(stack_file), *said)


UNFIT = {
    "disk": (replaced("disk_gb = 80\n", "disk_gb = 8\n"), "hosts.edge.disk_gb", "journal_hours"),
    "memory": (replaced("memory_mb = 4096   ", "memory_mb = 512   "), "hosts.edge.memory_mb", "minutes of streams"),
    "link": (
        replaced("bytes_per_s = 300_000 ", "bytes_per_s = 30_000_000 "),
        "network.link_bytes_per_s",
        "fewer symbols",
    ),
    "window": (
        replaced("[retention]", "[retention]\nstream_minutes = 1"),
        "retention.stream_minutes",
        "raise stream_minutes",
    ),
}


@pytest.mark.parametrize(("text", "key", "hint"), UNFIT.values(), ids=UNFIT)
def test_sizes_that_do_not_fit_name_file_and_key(
    himari: Himari, stack_file: Path, text: str, key: str, hint: str
) -> None:
    stack_file.write_text(text)
    for verb in ("plan", "up"):
        refused(himari(verb, str(stack_file)), 3, f"{stack_file}: {key}", "expected: ", hint)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"\xff\xfe\x00\x01" * 100), "not UTF-8"),
        (lambda path: (path.unlink(), path.mkdir()), "Is a directory"),
        (lambda path: path.unlink(), "No such file"),
    ],
    ids=["binary", "folder", "missing"],
)
def test_a_stack_file_that_cannot_be_read_is_named(
    himari: Himari, stack_file: Path, make: Callable[[Path], object], said: str
) -> None:
    make(stack_file)
    refused(himari("plan", str(stack_file)), 2, str(stack_file), said, "expected: a stack file", "hint: ")


@pytest.mark.parametrize(
    ("argv", "where", "said"),
    [
        (("--live", "--recording", "x"), "", "contradict"),
        (("--speed", "5"), "--speed 5", "expected: --recording PATH beside it"),
        (("--recording", "/"), "/", "Is a directory"),
    ],
    ids=["both", "speed alone", "folder"],
)
def test_options_that_contradict_are_refused(himari: Himari, argv: tuple[str, ...], where: str, said: str) -> None:
    done = himari("up", "lab-edge", *argv)
    assert done.returncode == 2
    assert said in done.stderr
    assert where in done.stderr


def test_a_failure_is_one_json_object_when_json_is_asked_for(himari: Himari, stack_file: Path) -> None:
    stack_file.write_text(UNFIT["disk"][0])
    done = himari("up", str(stack_file), "--json")
    told = json.loads(done.stdout)
    assert told["exit_code"] == done.returncode == 3
    assert told["where"] == f"{stack_file}: hosts.edge.disk_gb"
    assert told["step"] == "preflight"
    assert told["resume"] == f"himari up {stack_file} --json"
    assert told["error"] in done.stderr


def test_a_file_that_nobody_edited_is_refused_before_a_host_is_touched(
    himari: Himari, stack_file: Path, tmp_path: Path
) -> None:
    stack_file.write_text(replaced('address = "local"', 'address = "203.0.113.11"'))
    done = himari("up", str(stack_file), HOME=str(tmp_path))
    said = ("4 things", "203.0.113.10 is a placeholder", "203.0.113.11 is a", "no public key", "ssh-keygen")
    refused(done, 2, "hosts.edge.address", *said, "step: preflight")
    assert done.stderr.count("203.0.113.10 is a placeholder") == 1
    assert "replay:" not in done.stderr
    assert {path.name for path in (tmp_path / "state" / "vps-brain").iterdir()} == {"lock", "runs"}

"""A stack file that cannot be meant is refused with the file, the key, what was expected and what to do."""

from pathlib import Path

import pytest

from himari.stack.errors import StackFileError
from himari.stack.load import load_stack, parse_stack
from himari.stack.model import Provider, Role
from himari.stack.paths import INVENTORIES


def refusal(text: str) -> StackFileError:
    with pytest.raises(StackFileError) as caught:
        parse_stack(text, "two.toml")
    return caught.value


def test_a_good_file_becomes_a_stack(good: str) -> None:
    stack = parse_stack(good, "two.toml")
    assert stack.name == "two"
    assert stack.hosts_with(Role.EDGE) == ("edge",)
    assert stack.hosts["brain"].existing
    assert stack.hosts["edge"].provider is Provider.STATIC
    assert not stack.is_lab


@pytest.mark.parametrize("path", sorted(INVENTORIES.glob("*.toml")), ids=lambda path: path.stem)
def test_each_shipped_stack_loads_by_its_name(path: Path) -> None:
    assert load_stack(path.stem) == load_stack(path)


def test_an_unknown_stack_names_the_nearest() -> None:
    with pytest.raises(StackFileError) as caught:
        load_stack("lab-edg")
    assert caught.value.hint == "did you mean lab-edge?"
    assert caught.value.exit_code == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match="No such file") as caught:
        load_stack(tmp_path / "none.toml")
    assert caught.value.where == str(tmp_path / "none.toml")


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StackFileError, match="UTF-8"):
        load_stack(tmp_path / "x.toml")


@pytest.mark.parametrize(
    ("change", "key", "hint"),
    [
        (("parquet_days = 90", "parquet_day = 90"), "retention.parquet_day", "did you mean parquet_days?"),
        (("[retention]", "[retentions]"), "retentions", "did you mean retention?"),
        (('roles = ["edge"]', 'role = ["edge"]'), "hosts.edge.role", "did you mean roles?"),
        (("cpus = 4", "turbo = 4"), "hosts.brain.turbo", "himari schema explains each key"),
        (("frames_per_s = 100", "frame_per_s = 100"), "venues.binance.frame_per_s", "did you mean frames_per_s?"),
    ],
)
def test_an_unknown_key_is_named_with_its_table(good: str, change: tuple[str, str], key: str, hint: str) -> None:
    error = refusal(good.replace(*change))
    assert error.where == f"two.toml: {key}"
    assert "unknown key" in error.what
    assert error.hint == hint


@pytest.mark.parametrize(
    ("change", "key", "expected"),
    [
        (("cpus = 2", 'cpus = "2"'), "hosts.edge.cpus", "a whole number, got text"),
        (("cpus = 2", "cpus = 0"), "hosts.edge.cpus", ">= 1"),
        (("bytes_per_s = 25000", "bytes_per_s = -1"), "venues.binance.bytes_per_s", "> 0"),
        (('symbols = ["BTC/USDT"]', 'symbols = "BTC/USDT"'), "venues.binance.symbols", "a list"),
        (("existing = true", 'existing = "yes"'), "hosts.brain.existing", "true or false"),
        (('name = "two"', 'name = "Two!"'), "stack.name", "lower-case"),
        (("[hosts.edge]", "[hosts.Edge]"), "hosts.Edge", "lower-case"),
        (("[hosts.edge]", "[hosts]\nspare = 3\n[hosts.edge]"), "hosts.spare", "[hosts.spare]"),
    ],
)
def test_a_wrong_value_is_named_with_its_host(good: str, change: tuple[str, str], key: str, expected: str) -> None:
    error = refusal(good.replace(*change))
    assert error.where == f"two.toml: {key}"
    assert expected in error.expected


def test_a_missing_key_is_named(good: str) -> None:
    error = refusal(good.replace("frames_per_s = 100\n", ""))
    assert error.where == "two.toml: venues.binance.frames_per_s"
    assert "missing" in error.what


@pytest.mark.parametrize(
    ("change", "what", "hint"),
    [
        (('roles = ["edge"]', 'roles = ["edgy"]'), "unknown role 'edgy'", "did you mean edge?"),
        (('provider = "static"', 'provider = "statik"'), "unknown provider 'statik'", "did you mean static?"),
    ],
)
def test_an_unknown_word_names_the_nearest(good: str, change: tuple[str, str], what: str, hint: str) -> None:
    error = refusal(good.replace(*change, 1))
    assert (error.what, error.hint) == (what, hint)


def test_a_host_that_is_there_twice_is_refused_with_its_line(good: str) -> None:
    error = refusal(good + "\n[hosts.edge]\nprovider = 'lab'\n")
    assert error.what == "[hosts.edge] is there twice"
    assert error.where == f"two.toml:{good.count(chr(10)) + 2}"


def test_a_file_that_is_no_toml_is_refused_with_its_line() -> None:
    assert refusal("[stack]\nname = \n").where == "two.toml:2"


def test_a_name_that_is_not_the_files_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, good: str) -> None:
    (tmp_path / "tokyo.toml").write_text(good)
    monkeypatch.setattr("himari.stack.load.INVENTORIES", tmp_path)
    with pytest.raises(StackFileError, match="calls itself 'two'"):
        load_stack("tokyo")

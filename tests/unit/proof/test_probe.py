"""The agent really runs, here, and its answer is read."""

import hashlib
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from himari.catalog.accounts import DEPLOY_USER
from himari.proof.agent import ALWAYS, without_keys
from himari.proof.probe import ask
from himari.proof.question import Attempt, BufferQuestion, Question
from himari.stack.errors import HostError


def here(_: str, argv: Sequence[str]) -> bytes:
    return subprocess.run(argv, capture_output=True, check=True).stdout


def connect(name: str, address: str, port: int) -> Attempt:
    return Attempt(id=name, kind="connect", address=address, port=port)


def test_one_command_reads_files_texts_and_packages() -> None:
    probe = ask("here", Question(files=("/etc/passwd", "/nowhere"), texts=("/proc/sys/vm/swappiness",)), here)
    state = probe.file("/etc/passwd")
    assert state is not None
    assert (state.owner, state.mode, len(state.sha256)) == ("root", 0o644, 64)
    assert probe.file("/nowhere") is None
    assert probe.sysctl("vm.swappiness").isdigit()
    assert "dpkg" in probe.packages
    assert probe.accounts["root"].uid == 0
    assert probe.versions["kernel"]


def test_a_folder_is_read_by_name_through_its_link(tmp_path: Path) -> None:
    (tmp_path / "digest").mkdir()
    (tmp_path / "digest" / "core-1.jar").write_text("jar")
    (tmp_path / "link").symlink_to("digest")
    there, nowhere = str(tmp_path / "link"), str(tmp_path / "nowhere")
    probe = ask("here", Question(host=False, trees=(there, nowhere)), here)
    assert {name: state.sha256 for name, state in probe.tree(there).items()} == {
        "core-1.jar": hashlib.sha256(b"jar").hexdigest()
    }
    assert probe.tree(nowhere) == {}


def test_what_was_not_asked_is_no_answer() -> None:
    probe = ask("here", Question(host=False), here)
    with pytest.raises(KeyError):
        probe.sysctl("vm.swappiness")
    with pytest.raises(KeyError):
        probe.attempt("never")


def test_attempts_tell_open_from_refused_and_run_side_by_side() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound, not listening: refused
        full = [connect(f"slow{number}", "127.0.0.1", silent.getsockname()[1]) for number in range(20)]
        attempts = (connect("open", "127.0.0.1", server.getsockname()[1]), *full)
        probe = ask("here", Question(host=False, attempts=attempts), here)
    assert probe.attempt("open").outcome == "open"
    assert probe.attempt("slow7").outcome == "refused"


def test_a_silent_redis_costs_two_seconds_however_many_ask_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attempts = tuple(
            Attempt(id=f"{number}", kind="redis", address="127.0.0.1", port=port, words=("PING",))
            for number in range(10)
        )
        started = time.monotonic()
        probe = ask("here", Question(host=False, attempts=attempts), here)
        took = time.monotonic() - started
    assert {probe.attempt(str(number)).outcome for number in range(10)} == {"timeout"}
    assert took < 6  # ten in turn would take twenty


def test_a_buffer_that_is_not_there_is_an_error_of_its_host() -> None:
    question = Question(host=False, buffer=BufferQuestion(port=1, user="operator", credential="none"))
    probe = ask("here", question, here)
    with pytest.raises(HostError, match="refused"):
        _ = probe.buffer


def test_an_answer_that_is_none_names_the_host() -> None:
    with pytest.raises(HostError) as caught:
        ask("edge", Question(host=False), lambda _host, _argv: b"sudo: a password is required")
    assert caught.value.where == "edge"
    assert "sudo: a password" in caught.value.hint


def test_keys_do_not_leave_the_host() -> None:
    dump = "wg0\tPRIVATE\tPUB\t51820\toff\nwg0\tPEER\tPRESHARED\t(none)\t10.77.0.2/32\t0\t0\t0\toff"
    cleaned = without_keys(dump)
    assert "PRIVATE" not in cleaned
    assert "PRESHARED" not in cleaned
    assert "PUB" in cleaned
    assert "PEER" in cleaned


def test_sudo_is_asked_about_the_deploy_user() -> None:
    assert ALWAYS["sudoers"][-1] == DEPLOY_USER

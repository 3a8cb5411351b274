"""What left the stack file, as `up` and `drift` come to know it."""

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from himari.catalog.component import Feed
from himari.catalog.root import entry_program
from himari.runs.drift import drift
from himari.runs.put import read_put
from himari.runs.strays import LOOK
from himari.runs.up import Going
from himari.stack.errors import HostError
from himari.stack.known import KnownHost, write_known
from himari.stack.load import load_stack
from himari.stack.model import Stack
from himari.stack.paths import StateDir

REFUSES = "#!/bin/sh\necho 'ssh: connect to host: Connection refused' >&2\nexit 255\n"
# It runs what it is given on this machine; what these tests ask for only looks.
RUNS = """#!/bin/sh
for command; do :; done
exec sh -c "$command"
"""
SUDO = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
exec python3 ENTRY
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for stand-ins, which come before this machine's own programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path / "state"))
    (tmp_path / "entry").write_text(entry_program())
    program(folder / "sudo", SUDO.replace("ENTRY", str(tmp_path / "entry")))
    return folder


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """The shipped stack, of an operator who has a key; its brain is a server."""
    loaded, key = load_stack("vps-brain"), tmp_path / "id_ed25519"
    key.touch()
    key.with_suffix(".pub").write_text("ssh-ed25519 AAAA operator")
    access = msgspec.structs.replace(loaded.access, identity_file=str(key))
    brain = msgspec.structs.replace(loaded.hosts["brain"], address="203.0.113.11")
    return msgspec.structs.replace(loaded, access=access, hosts={**loaded.hosts, "brain": brain})


def test_an_up_notes_what_it_will_put_before_it_comes_to_a_host(programs: Path, stack: Stack) -> None:
    program(programs / "ssh", REFUSES)
    going = Going(stack, Feed(), None)
    (contact,) = (step for step in going.steps() if step.name == "contact")
    with pytest.raises(HostError):
        contact.work(lambda _host, _says: None)
    noted = read_put(going.state)
    assert "himari-collector.service" in noted["edge"].units
    assert "himari-consumer.service" in noted["brain"].units


def test_a_drift_tells_of_a_host_that_left_the_file(programs: Path, stack: Stack) -> None:
    program(programs / "ssh", RUNS)
    program(
        programs / "systemctl",
        "#!/bin/sh\nshift 3\nfor unit; do echo ActiveState=inactive; echo LoadState=masked; echo; done\n",
    )
    known = {name: KnownHost(address=host.address) for name, host in stack.hosts.items()}
    write_known(StateDir.of("vps-brain").hosts, known)
    without = msgspec.structs.replace(stack, hosts={"edge": stack.hosts["edge"]})
    report = drift(without, lambda _event: None)
    assert not report.ok
    (told,) = report.strays
    assert told.startswith("brain: left the stack file")


def test_a_host_tells_what_is_there_and_nothing_else(programs: Path, tmp_path: Path) -> None:
    program(programs / "systemctl", '#!/bin/sh\n[ "$1" = is-enabled ] && [ "$3" = old.timer ]\n')
    look = LOOK.format(units="old.timer gone.service", files=f"{programs} {tmp_path}/gone")
    for script, expected in ((look, f"unit old.timer\nfile {programs}\n"), (LOOK.format(units="", files=""), "")):
        assert subprocess.run(("sh", "-c", script), capture_output=True, text=True, check=True).stdout == expected

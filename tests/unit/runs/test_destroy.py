"""What a destroy would do and leave, by kind of machine, and what it forgets."""

import shutil
from pathlib import Path

import msgspec
import pytest

from himari.apply.feed import write_feed
from himari.catalog.component import Feed, View
from himari.runs import destroy, intent
from himari.runs.forget import forget
from himari.runs.plan import components
from himari.runs.put import owned
from himari.stack.errors import StackFileError
from himari.stack.known import KnownHost, write_known
from himari.stack.load import load_stack
from himari.stack.model import Stack
from himari.stack.paths import StateDir
from himari.vault.authority import Authority

LAB = load_stack("lab-edge")
STATIC = load_stack("vps-brain")
MET = KnownHost(address="203.0.113.10", ssh_host_key="ssh-ed25519 AAAA", wireguard_public_key="abc=")


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """A state as an `up` leaves it."""
    state = StateDir(tmp_path / "tokyo")
    state.ssh.mkdir(parents=True)
    (state.ssh / "config").touch()
    state.hosts.write_text("{}")
    Authority.open(state).issue("exchange", ["192.0.2.1"])
    write_feed(state, Feed())
    return state


def test_it_says_beforehand_what_becomes_of_each_host() -> None:
    assert intent.intent(LAB) == tuple(
        f"{name}: this host and all its data are removed" for name in ("exchange", "edge", "brain")
    )


def test_a_host_that_was_never_met_is_told_as_such_and_not_as_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIMARI_STATE", str(tmp_path))
    assert intent.intent(STATIC) == tuple(f"{name}: {intent.NEVER_MET}" for name in ("edge", "brain"))
    assert list(intent.stays(STATIC, {})) == [f"{name}: {intent.NEVER_MET}" for name in ("edge", "brain")]
    write_known(StateDir.of("vps-brain").hosts, {"edge": MET})
    edge, brain = intent.intent(STATIC)
    assert "data and access stay" in edge
    assert brain == f"brain: {intent.NEVER_MET}"
    write_known(StateDir.of("vps-brain").hosts, {})
    report = destroy.destroy(STATIC, ("himari", "destroy", "vps-brain"), lambda _event: None)
    assert (report.removed, report.left) == ((), ())


def test_of_machines_that_go_on_existing_it_says_what_stays() -> None:
    made = msgspec.structs.replace(MET, address="local", wireguard_key_made=True)
    assert list(intent.stays(LAB, {"edge": MET})) == []
    edge, brain = intent.stays(STATIC, {"edge": MET, "brain": made})
    assert edge.startswith("edge: data in /var/lib/himari")
    assert "its hardening" in edge
    assert "WireGuard's key that was there before" in edge
    assert "key" not in brain
    assert "its hardening" not in brain
    assert "the login of this machine's user" in brain


def test_it_removes_our_units_and_files_and_leaves_what_makes_a_host_safe() -> None:
    put = owned(components(View(stack=STATIC, host_name="edge")))
    assert {"himari-collector.service", "himari-firewall.service", "wg-quick@wg0.service"} <= set(put.units)
    assert not {"ssh.service", "chrony.service"} & set(put.units)
    assert {"/etc/himari/collector.toml", "/etc/credstore.encrypted/redis-pusher"} <= set(put.files)
    assert not [path for path in put.files if "sshd" in path or "sudoers" in path]


def test_a_labs_notes_are_forgotten_and_those_of_other_machines_kept(state: StateDir) -> None:
    assert forget(STATIC, state) == []
    assert {path.name for path in state.path.iterdir()} == {"hosts.json", "ssh", "secrets", "feed.json"}
    gone = forget(LAB, state)
    assert gone == [f"this machine: {name}" for name in ("hosts.json", "ssh", "secrets", "feed.json")]
    assert list(state.path.iterdir()) == []
    assert forget(LAB, state) == []


def test_secrets_are_there_whole_or_not_at_all(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = shutil.rmtree

    def power_cut(path: Path) -> None:
        if not (path / "ca").exists():
            remove(path)
            return
        (path / "ca" / "ca.key").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", power_cut)
    with pytest.raises(KeyboardInterrupt):
        forget(LAB, state)
    monkeypatch.undo()
    assert Authority.open(state).issue("exchange", ["192.0.2.1"]).key  # of a new authority, or of the whole old one
    forget(LAB, state)
    assert list(state.path.iterdir()) == []


@pytest.mark.parametrize(("stack", "needed"), [(LAB, False), (STATIC, True)], ids=["lab", "machines"])
def test_a_spoiled_note_keeps_no_lab_alive(state: StateDir, stack: Stack, needed: bool) -> None:
    state.hosts.write_text("[]")
    if needed:
        with pytest.raises(StackFileError, match="spoiled"):
            intent.known_hosts(stack, state)
    else:
        assert intent.known_hosts(stack, state) == {}

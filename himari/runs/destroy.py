"""`destroy`: remove what a stack made, whole or half, and say what is left."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from shlex import quote

import msgspec

from himari.apply import ssh
from himari.apply.feed import feed_path
from himari.apply.ssh_config import write_config
from himari.catalog import hostpaths
from himari.catalog.accounts import DEPLOY_USER
from himari.catalog.component import Component, View
from himari.catalog.registry import WHOLE_HOST
from himari.lab import lab
from himari.lab.identity import Lab
from himari.runs.create import lab_hosts
from himari.runs.plan import components
from himari.runs.progress import Listener, Report
from himari.runs.report import DestroyReport
from himari.runs.session import session
from himari.runs.steps import Outcome, Step
from himari.stack.errors import LEFT, DeployError, StackFileError
from himari.stack.known import Known, KnownHost, read_known, write_known
from himari.stack.model import Stack
from himari.stack.paths import StateDir

TIMEOUT_S = 120.0
GONE = ".gone-"
# Data and the operator's access stay: what cannot be made again is removed by hand.
STRIP = """set -u
for unit in {units}; do systemctl disable --now "$unit" >/dev/null 2>&1 || true; done
for path in {files}; do
  rm -f "$path"
  case "$path" in /etc/systemd/system/*.d/*) rmdir --ignore-fail-on-non-empty "$(dirname "$path")" 2>/dev/null;; esac
done
for key in {keys}; do grep -qsF "$key" /etc/wireguard/*.conf || rm -f "$key"; done
nft delete table inet himari 2>/dev/null || true
rm -rf {folders}
systemctl daemon-reload
systemctl reset-failed {units} 2>/dev/null || true
for unit in {units}; do systemctl is-active --quiet "$unit" && echo "unit $unit is still active"; done
exit 0"""


NEVER_MET = "this host was never met; nothing was made there"


def intent(stack: Stack) -> tuple[str, ...]:
    """What a destroy of `stack` would do, a sentence a host."""
    known = known_hosts(stack, StateDir.of(stack.name))
    return tuple(f"{name}: {_intent(stack, known, name)}" for name in stack.hosts)


def _intent(stack: Stack, known: Known, name: str) -> str:
    if name in lab_hosts(stack):
        return "this host and all its data are removed"
    ours = "our units, their files, wg0, our firewall rules and programs are removed; data and access stay"
    return ours if name in known else NEVER_MET


def destroy(stack: Stack, argv: Sequence[str], listener: Listener) -> DestroyReport:
    """Remove `stack`, also a half-made one; may be repeated. Raises LockedError, or StepError."""
    state = StateDir.of(stack.name)
    left: list[str] = []
    staying: list[str] = []

    def hosts(report: Report) -> Outcome:
        known = known_hosts(stack, state)
        staying.extend(stays(stack, known))
        if known:  # hosts.json may have been mended by hand since ssh's own files were written
            write_config(stack, known, state)
        removed = _strip_all(stack, known, state, report, left)
        ssh.close(known, state)
        return _outcome(removed, left)

    def the_lab(report: Report) -> Outcome:
        before = {one.host for one in lab.list_labs() if one.lab == Lab.of(stack.name, state).id}
        remains = lab.destroy(stack.name, state)
        left.extend(remains)
        return _outcome([f"{name}: removed" for name in sorted(before)], remains)

    def notes(report: Report) -> Outcome:
        return Outcome(changed=tuple(forget(stack, state)))

    steps = [Step(name="hosts", work=hosts)]
    if lab_hosts(stack):
        steps.append(Step(name="lab", work=the_lab))
    steps.append(Step(name="notes", work=notes))
    with session(state, argv, "", listener) as opened:
        done = opened.run(steps)
        removed = tuple(what for item in done for what in item.outcome.changed)
        opened.exit_code = LEFT if left else 0
        return DestroyReport(
            stack=stack.name, removed=removed, left=tuple(left), seconds=opened.seconds, stays=tuple(staying)
        )


def _outcome(removed: Sequence[str], left: Sequence[str]) -> Outcome:
    """How a step ends that removed things: red when it left some."""
    return Outcome(changed=tuple(removed), says=f"left: {'; '.join(left)}" if left else "", red=bool(left))


def stays(stack: Stack, known: Known) -> Iterator[str]:
    """What a destroy leaves on machines that go on existing, a sentence a host: data, access and what made it safe."""
    for name, host in stack.hosts.items():
        if name in lab_hosts(stack):
            continue
        if name not in known:
            yield f"{name}: {NEVER_MET}"
        else:
            hardening = "" if host.existing else ", its hardening (ssh, kernel, updates)"
            access = "the login of this machine's user" if host.address == ssh.LOCAL else f"the user {DEPLOY_USER}"
            data = f"data in {hostpaths.STATE} and the users that own it"
            key = "" if known[name].wireguard_key_made else "WireGuard's key that was there before, "
            yield f"{name}: {data}, packages, {key}{access}{hardening}"


def _strip_all(stack: Stack, known: Known, state: StateDir, report: Report, left: list[str]) -> list[str]:
    removed = []
    for name in stack.hosts:
        if name in known and name not in lab_hosts(stack):
            report(name, "removes our units and their files")
            host = known[name]
            # A host without its key is to be met anew, also when this is cut off before or after the key is gone.
            _note(state, name, msgspec.structs.replace(host, wireguard_public_key=""))
            left += _strip(stack, known, state, name)
            _note(state, name, msgspec.structs.replace(host, wireguard_public_key="", wireguard_key_made=False))
            key = ", and the WireGuard key that was made there" if host.wireguard_key_made else ""
            removed.append(f"{name}: units, files, tunnel, firewall and programs of ours{key}")
    return removed


def _note(state: StateDir, name: str, host: KnownHost) -> None:
    write_known(state.hosts, {**read_known(state.hosts), name: host})


def _strip(stack: Stack, known: Known, state: StateDir, name: str) -> list[str]:
    """What is left on a host that is not ours to remove."""
    units, files = owned(components(View(stack=stack, host_name=name, known=known)))
    keys = [hostpaths.WIREGUARD_PRIVATE_KEY] if known[name].wireguard_key_made else []
    words = {"units": units, "files": files, "folders": hostpaths.OURS, "keys": keys}
    script = STRIP.format(**{key: " ".join(map(quote, listed)) or "''" for key, listed in words.items()})
    there = ssh.reach(name, known, state)
    result = there.run(there.as_root(f"sh -c {quote(script)}"), timeout=TIMEOUT_S)
    if result.code:
        raise DeployError(f"our units could not be removed: {result.err.strip()}", name)
    return [f"{name}: {line}" for line in result.out.splitlines()]


def owned(listed: Iterable[Component]) -> tuple[list[str], list[str]]:
    """Units and files of the components that are ours alone; what makes a whole host safe stays in place."""
    ours = [part for part in listed if part.name not in WHOLE_HOST]
    credentials = [f"{hostpaths.CREDENTIALS}/{held.name}" for part in ours for held in part.credentials]
    files = [file.path for part in ours for file in part.files]
    units = [unit.name for part in ours for unit in part.units]
    # A timer that still ran would start what was stopped before it.
    return sorted(units, key=lambda name: not name.endswith(".timer")), files + credentials


def forget(stack: Stack, state: StateDir) -> list[str]:
    """Forget a lab's hosts and secrets. Those of machines that go on existing stay, with their pinned keys."""
    if not lab_hosts(stack):
        return []
    known = [path for path in (state.hosts, state.ssh, state.secrets, feed_path(state)) if path.exists()]
    _remove_gone(state)
    for path in known:  # renamed first: half a folder of secrets would be taken for whole
        path.rename(path.with_name(f"{GONE}{path.name}"))
    _remove_gone(state)
    return [f"this machine: {path.name}" for path in known]


def _remove_gone(state: StateDir) -> None:
    for path in state.path.glob(f"{GONE}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def known_hosts(stack: Stack, state: StateDir) -> Known:
    """The stack's hosts; none when the note is spoiled and all of them are a lab's, which its names alone find."""
    try:
        return read_known(state.hosts)
    except StackFileError:
        if set(lab_hosts(stack)) == set(stack.hosts):
            return {}
        raise

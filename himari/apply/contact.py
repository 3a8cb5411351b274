"""First contact: the deploy user, the WireGuard key that the host makes itself, and its ssh host key."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from shlex import join, quote
from threading import Lock
from typing import TypeVar

import msgspec

from himari.apply.agent.accounts import login_options
from himari.apply.waiting import STOPPING
from himari.catalog.accounts import DEPLOY_HOME, DEPLOY_USER
from himari.catalog.hostpaths import CONFIG, HOLDER, WIREGUARD_KEY_MADE, WIREGUARD_PRIVATE_KEY
from himari.catalog.root import ENTRY, as_root, entry_program, sudo_rule
from himari.ssh.config import operator_key, write_config
from himari.ssh.connection import (
    FRESH,
    LOCAL,
    SSH_FAILED,
    Reach,
    unreachable,
)
from himari.stack.errors import HostError, together
from himari.stack.known import Known, KnownHost, read_known, write_known
from himari.stack.model import Provider, Stack
from himari.stack.network import tunnel_addresses
from himari.stack.paths import StateDir

_T = TypeVar("_T")
Listen = Callable[[str, str], None]  # host, what is being done
_TOOLS = """set -e
missing=
for pair in python3:python3{tools}; do
  command -v ${{pair%%:*}} >/dev/null || missing="$missing ${{pair##*:}}"
done
if [ -n "$missing" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  apt-get -qq -y -o DPkg::Lock::Timeout=120 --no-install-recommends install $missing >&2
fi
"""
_USER = """id -u {user} >/dev/null 2>&1 ||
  useradd {options} {user}
home=$(getent passwd {user} | cut -d: -f6)
install -d -m 0700 -o {user} -g {user} "$home/.ssh"
touch "$home/.ssh/authorized_keys"
grep -qxF {key} "$home/.ssh/authorized_keys" || echo {key} >> "$home/.ssh/authorized_keys"
chown {user}:{user} "$home/.ssh/authorized_keys"; chmod 0600 "$home/.ssh/authorized_keys"
(umask 0022; printf %s {program} > {entry}.new~); chmod 0755 {entry}.new~; mv {entry}.new~ {entry}
rule=/etc/sudoers.d/{user}
[ -s $rule ] || {{ (umask 0227; printf %s {rule} > $rule.new~); mv $rule.new~ $rule; }}
"""
# Who was met before may run the entry alone; who lets us in for the first time has rights of their own.
_AS_ROOT = f"""if [ "$(id -u)" = 0 ]; then exec sh -s; fi
if [ -x {ENTRY} ] && sudo -n -l {ENTRY} >/dev/null 2>&1; then {as_root("sh -s")}; else exec sudo -n sh -s; fi"""
# Two stacks on one host would put their tunnels and settings over each other's.
_HELD = "holder"
ASK_HOLDER = f"""[ ! -s {HOLDER} ] || echo "{_HELD} $(cat {HOLDER})"
"""
_HOLD = f"""install -d -m 0755 {CONFIG}
(umask 0022; printf '%s\\n' {{stack}} > {HOLDER}.new~); mv {HOLDER}.new~ {HOLDER}
"""
MADE = "made"  # said before the public key by a host whose key first contact made, however often it is met
_DIGEST = hashlib.sha256((entry_program() + _HOLD).encode()).hexdigest()[:12]  # hosts with another are met again
# The note comes first: until the key is there as well it is a note of a key that nobody has.
_KEY = f"""umask 077; mkdir -p {PurePosixPath(WIREGUARD_PRIVATE_KEY).parent}
key={WIREGUARD_PRIVATE_KEY} note={WIREGUARD_KEY_MADE}
if [ ! -s $key ]; then
  wg genkey > $key.new; wg pubkey < $key.new > $note.new
  sync $key.new $note.new; mv $note.new $note; mv $key.new $key
fi
public=$(wg pubkey < $key)
[ "$(cat $note 2>/dev/null)" != "$public" ] || echo {MADE}
echo "$public"
"""


def contact(stack: Stack, state: StateDir, listen: Listen) -> Known:
    """Meet every host of `stack` that was not met before, at the same time; all known hosts, as written to hosts.json.

    A host that was met costs nothing, and none is changed before each has let us in. Raises HostError for those that
    are unreachable, refuse us or show another key."""
    known = {**_declared(stack), **read_known(state.hosts)}
    write_config(stack, known, state)
    marks = _read_marks(state)
    new = [name for name in stack.hosts if name in known and marks.get(name) != _mark(stack, name, known[name])]
    users = _at_once(new, lambda name: _knock(stack, name, known[name], state), listen, "no host was changed")
    met: dict[str, KnownHost] = {}
    noting = Lock()

    def meet(name: str) -> None:
        listen(name, "first contact")
        host = _meet(stack, name, known[name], state, users[name])
        with noting:  # at once: a host that was met is known, whatever becomes of the others or of this run
            met[name] = host
            write_known(state.hosts, {**read_known(state.hosts), **met})

    try:
        _at_once(new, meet, listen, "what the others got stays")
    finally:
        write_config(stack, {**known, **met}, state)
        marks.update({name: _mark(stack, name, host) for name, host in met.items()})
        _marks_file(state).write_bytes(msgspec.json.encode(marks))
    return {**known, **met}


def _at_once(names: Sequence[str], act: Callable[[str], _T], listen: Listen, otherwise: str) -> dict[str, _T]:
    """What `act` gives for each of `names`. Raises one HostError for all that fail, once every one has ended."""
    with ThreadPoolExecutor(max(len(names), 1)) as pool, _told(names, listen):
        under_way = {name: pool.submit(act, name) for name in names}
        failed = [error for each in under_way.values() if (error := each.exception())]
    if others := [error for error in failed if not isinstance(error, HostError)]:
        raise others[0]
    if refused := [error for error in failed if isinstance(error, HostError)]:
        raise together(f"{len(refused)} hosts cannot be met; {otherwise}", refused)
    return {name: each.result() for name, each in under_way.items()}


@contextmanager
def _told(names: Sequence[str], listen: Listen) -> Iterator[None]:
    """Say of Ctrl-C what it waits for."""
    try:
        yield
    except KeyboardInterrupt:
        for name in names:
            listen(name, STOPPING)
        raise


def _declared(stack: Stack) -> dict[str, KnownHost]:
    """What the stack file itself says of machines that exist already."""
    return {
        name: KnownHost(address=host.address, ssh_port=host.ssh_port)
        for name, host in stack.hosts.items()
        if host.provider is Provider.STATIC
    }


def _mark(stack: Stack, name: str, host: KnownHost) -> str:
    """What first contact leaves known: with another key it is another machine. Empty while anything is missing."""
    pinned = host.ssh_host_key or host.address == LOCAL
    if not pinned or (_tunnelled(stack, name) and not host.wireguard_public_key):
        return ""
    return f"{host.address} {host.ssh_host_key} {host.wireguard_public_key} {_DIGEST}"


def _marks_file(state: StateDir) -> Path:
    return state.ssh / "met.json"


def _read_marks(state: StateDir) -> dict[str, str]:
    try:
        return msgspec.json.decode(_marks_file(state).read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}  # a host that is met once more is left as it is


def _tunnelled(stack: Stack, name: str) -> bool:
    return name in tunnel_addresses(stack)


def _knock(stack: Stack, name: str, host: KnownHost, state: StateDir) -> str:
    """The user whom the host lets in and make root; nothing is changed there.

    Raises HostError when the host belongs to another stack."""
    first_keys = _first_keys(state, name)
    first_keys.unlink(missing_ok=True)  # of a try that led to nothing
    users = (DEPLOY_USER, stack.hosts[name].bootstrap_user)
    user, said = _as_root(Reach(name, host, state.ssh / "config"), ASK_HOLDER, users, first_keys)
    answers = (line.split() for line in said.splitlines())
    for holder in (words[1] for words in answers if words[:1] == [_HELD] and words[1:] != [stack.name]):
        free = f"himari destroy {holder} gives it free; if that stack is gone for good, on the host: rm {HOLDER}"
        raise HostError(f"it belongs to the stack {holder}", name, "a host that no other stack has", free)
    return user


def _meet(stack: Stack, name: str, host: KnownHost, state: StateDir, user: str) -> KnownHost:
    reach, first_keys = Reach(name, host, state.ssh / "config"), _first_keys(state, name)
    _, said = _as_root(reach, script(stack, name, host, state), (user,), first_keys)
    host_key = host.ssh_host_key or _seen_key(first_keys)
    first_keys.unlink(missing_ok=True)
    *before, wireguard_key = said.strip().splitlines() if _tunnelled(stack, name) else [""]
    made = MADE in before or host.wireguard_key_made
    return msgspec.structs.replace(
        host, ssh_host_key=host_key, wireguard_public_key=wireguard_key, wireguard_key_made=made
    )


def _first_keys(state: StateDir, name: str) -> Path:
    """The known_hosts file of a host whose key nobody could tell beforehand."""
    return state.ssh / f"first-{name}"


def script(stack: Stack, name: str, host: KnownHost, state: StateDir) -> str:
    """What first contact runs as root on the host; this machine has its user already. Raises HostError."""
    remote, tunnelled = host.address != LOCAL, _tunnelled(stack, name)
    tools = _TOOLS.format(tools=" sudo:sudo" * remote + " wg:wireguard-tools" * tunnelled)
    user = _user(operator_key(stack, state)) if remote else ""
    return tools + user + _HOLD.format(stack=quote(stack.name)) + _KEY * tunnelled


def _user(key: str) -> str:
    """The script that makes the deploy user, as the agent would, and lets `key` in."""
    root = {"entry": ENTRY, "program": quote(entry_program()), "rule": quote(sudo_rule(DEPLOY_USER))}
    return _USER.format(user=DEPLOY_USER, options=join(login_options(DEPLOY_HOME)), key=quote(key), **root)


def _as_root(reach: Reach, script: str, users: Sequence[str], first_keys: Path) -> tuple[str, str]:
    """Run `script` as the first of `users` that the host lets in; that user, and what the script printed."""
    trust: tuple[str, ...] = ()
    if not reach.known.ssh_host_key:
        # Nobody could tell us the key beforehand: what the first login shows is pinned from then on.
        pinned = f"UserKnownHostsFile={first_keys}"
        trust = ("-o", "StrictHostKeyChecking=accept-new", "-o", pinned, "-o", "HostKeyAlgorithms=ssh-ed25519")
    for user in dict.fromkeys(users):
        argv = reach.argv(_AS_ROOT, (*FRESH, *trust, "-l", user))
        # A group of its own: the terminal's Ctrl-C shall not cut a host off in the middle of a change.
        done = subprocess.run(argv, input=script, capture_output=True, text=True, check=False, process_group=0)
        if done.returncode == 0:
            return user, done.stdout
        if "Permission denied" not in done.stderr or reach.is_local:
            break
    if done.returncode == SSH_FAILED and not reach.is_local:
        raise unreachable(reach.host_name, reach.known, done.stderr)
    last = " / ".join(done.stderr.strip().splitlines()[-3:])
    who = "you" if reach.is_local else user
    hint = f"{who} must be root or have sudo without a password"
    raise HostError(f"first contact failed: {last}", reach.host_name, "root's rights", hint)


def _seen_key(first_keys: Path) -> str:
    """The key in the known_hosts file that ssh itself wrote; empty for this machine."""
    return " ".join(first_keys.read_text().split()[1:3]) if first_keys.exists() else ""

"""First contact: the deploy user, the WireGuard key that the host makes itself, and its ssh host key."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shlex import join, quote

import msgspec

from himari.apply.agent.accounts import login_options, sudo_rule
from himari.apply.ssh import (
    FRESH,
    LOCAL,
    SSH_FAILED,
    Reach,
    unreachable,
)
from himari.apply.ssh_config import operator_key, write_config
from himari.catalog.accounts import DEPLOY_HOME, DEPLOY_USER
from himari.stack.errors import HostError
from himari.stack.known import Known, KnownHost, read_known, write_known
from himari.stack.model import Provider, Role, Stack
from himari.stack.paths import StateDir

Listen = Callable[[str, str], None]  # host, what is being done
_WIREGUARD_ROLES = {Role.EDGE, Role.BRAIN}
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
rule=/etc/sudoers.d/{user}
[ -s $rule ] || {{ (umask 0227; printf %s {rule} > $rule.new~); mv $rule.new~ $rule; }}
"""
_KEY = """umask 077; mkdir -p /etc/wireguard
key=/etc/wireguard/private.key
[ -s $key ] || { wg genkey > $key.new; mv $key.new $key; }
wg pubkey < $key
"""


def contact(stack: Stack, state: StateDir, listen: Listen) -> Known:
    """Meet every host of `stack` that was not met before, at the same time; all known hosts, as written to hosts.json.

    A host that was met costs nothing. Raises HostError for one that is unreachable, refuses us or shows another key."""
    known = {**_declared(stack), **read_known(state.hosts)}
    write_config(stack, known, state)
    marks = _read_marks(state)
    new = [name for name in stack.hosts if name in known and marks.get(name) != _mark(stack, name, known[name])]
    with ThreadPoolExecutor(max(len(new), 1)) as pool:
        met = dict(zip(new, pool.map(lambda name: _meet(stack, name, known[name], state, listen), new), strict=True))
    known.update(met)
    write_known(state.hosts, known)
    write_config(stack, known, state)
    marks.update({name: _mark(stack, name, host) for name, host in met.items()})
    _marks_file(state).write_bytes(msgspec.json.encode(marks))
    return known


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
    return f"{host.address} {host.ssh_host_key} {host.wireguard_public_key}"


def _marks_file(state: StateDir) -> Path:
    return state.ssh / "met.json"


def _read_marks(state: StateDir) -> dict[str, str]:
    try:
        return msgspec.json.decode(_marks_file(state).read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}  # a host that is met once more is left as it is


def _tunnelled(stack: Stack, name: str) -> bool:
    return bool(_WIREGUARD_ROLES & set(stack.hosts[name].roles))


def _meet(stack: Stack, name: str, host: KnownHost, state: StateDir, listen: Listen) -> KnownHost:
    listen(name, "first contact")
    reach = Reach(name, host, state.ssh / "config")
    first_keys = state.ssh / f"first-{name}"
    said = _as_root(reach, script(stack, name, host, state), stack.hosts[name].bootstrap_user, first_keys)
    host_key = host.ssh_host_key or _seen_key(first_keys)
    first_keys.unlink(missing_ok=True)
    wireguard_key = said.strip().splitlines()[-1] if _tunnelled(stack, name) else ""
    return msgspec.structs.replace(host, ssh_host_key=host_key, wireguard_public_key=wireguard_key)


def script(stack: Stack, name: str, host: KnownHost, state: StateDir) -> str:
    """What first contact runs as root on the host; this machine has its user already. Raises HostError."""
    remote, tunnelled = host.address != LOCAL, _tunnelled(stack, name)
    tools = _TOOLS.format(tools=" sudo:sudo" * remote + " wg:wireguard-tools" * tunnelled)
    user = _user(operator_key(stack, state)) if remote else ""
    return tools + user + _KEY * tunnelled


def _user(key: str) -> str:
    """The script that makes the deploy user, as the agent would, and lets `key` in."""
    options, rule = join(login_options(DEPLOY_HOME)), quote(sudo_rule(DEPLOY_USER))
    return _USER.format(user=DEPLOY_USER, options=options, rule=rule, key=quote(key))


def _as_root(reach: Reach, script: str, bootstrap_user: str, first_keys: Path) -> str:
    """Run `script` as the deploy user, or, before there is one, as the user that accepts the operator's key."""
    trust: tuple[str, ...] = ()
    if not reach.known.ssh_host_key:
        # Nobody could tell us the key beforehand: what the first login shows is pinned from then on.
        pinned = f"UserKnownHostsFile={first_keys}"
        trust = ("-o", "StrictHostKeyChecking=accept-new", "-o", pinned, "-o", "HostKeyAlgorithms=ssh-ed25519")
    for user in dict.fromkeys((DEPLOY_USER, bootstrap_user)):
        command = 'if [ "$(id -u)" = 0 ]; then exec sh -s; else exec sudo -n sh -s; fi'
        argv = reach.argv(command, (*FRESH, *trust, "-l", user))
        done = subprocess.run(argv, input=script, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
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

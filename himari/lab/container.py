"""A host as a container: systemd-nspawn boots the image's own systemd as its PID 1.

Where the machine's PID 1 is systemd, a unit of it keeps the container. Elsewhere a loop of our own does, in a session
and a group of its own, so that it outlives the command that started it."""

import os
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from himari.lab import cgroup
from himari.lab.cgroup import Hierarchies
from himari.lab.host import HostFiles
from himari.lab.identity import Lab
from himari.lab.lock import Held
from himari.stack.errors import HostError, MachineError

REBOOT = 133  # what nspawn ends with when the guest rebooted
NSPAWN_ENVIRONMENT = {
    "UNIFIED_CGROUP_HIERARCHY": "1",
    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
    "SYSTEMD_NSPAWN_LOCK": "0",
}
GUEST_ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "USER": "root",
}
# $1: a descriptor to close once in the groups ("-": none); then the groups' folders, "--", and what to become.
JOIN = """fd=$1; shift
while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done; shift
[ "$fd" = - ] || exec {fd}>&-
exec "$@"
"""
SUPERVISE = f'while "$@" </dev/null; [ $? -eq {REBOOT} ]; do echo "$(date -Is) the guest rebooted"; done'
KEEP = 'while :; do "$@"; sleep 0.1; done'


def systemd_runs() -> bool:
    """Whether the machine's PID 1 is systemd."""
    return Path("/run/systemd/system").is_dir()


def join_argv(folders: Sequence[Path], argv: Sequence[str], descriptor: str = "-") -> tuple[str, ...]:
    """`argv` as a process of the groups in `folders`."""
    return ("bash", "-c", JOIN, "join", descriptor, *map(str, folders), "--", *argv)


def scope_argv(lab: Lab, argv: Sequence[str], descriptor: int, systemd: bool) -> tuple[str, ...]:
    """`argv` in a group of the lab that holds no host: what a killed run leaves of it is found by name."""
    if systemd:
        return ("systemd-run", "--scope", "--quiet", "--collect", f"--unit={lab.id}-.build", "--", *argv)
    return join_argv(Hierarchies.here().make(f"{lab.id}/.build"), argv, str(descriptor))


def nspawn_argv(lab: Lab, host: str, root: Path) -> tuple[str, ...]:
    """The call that boots `root` as `host` in the network namespace made for it."""
    machine = lab.machine(host)
    return (
        *("env", *(f"{name}={value}" for name, value in NSPAWN_ENVIRONMENT.items())),
        *("systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--settings=no"),
        *(f"--machine={machine}", f"--hostname={host}", f"--network-namespace-path=/run/netns/{machine}"),
        *("--register=no", "--keep-unit", "--console=pipe"),
        *("--resolv-conf=off", "--timezone=off", "--link-journal=no"),
        *("--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--bind=/dev/net/tun"),
    )


def unit_argv(lab: Lab, host: str, nspawn: Sequence[str], log: Path) -> tuple[str, ...]:
    """The same under the machine's systemd, which starts it again when the guest rebooted."""
    return (
        *("systemd-run", "--quiet", "--collect", f"--unit={lab.machine(host)}", "--property=Delegate=yes"),
        *("--property=KillMode=mixed", "--property=Type=exec", f"--property=StandardOutput=append:{log}"),
        *(f"--property=RestartForceExitStatus={REBOOT}", f"--property=SuccessExitStatus={REBOOT}"),
        *("--property=RestartSec=0", "--property=StartLimitIntervalSec=0", "--", *nspawn),
    )


def start(lab: Lab, host: str, root: Path, under: Held) -> None:
    """Boot `host` from `root` and return at once. Raises MachineError when not even the supervisor started."""
    log = HostFiles.of(lab, host).console
    argv = nspawn_argv(lab, host, root)
    if systemd_runs():
        under.run(unit_argv(lab, host, argv, log))
        return
    groups = Hierarchies.here()
    guest = join_argv(groups.make(f"{lab.id}/{host}"), argv)
    loop = ("bash", "-c", SUPERVISE, "supervise", *guest)
    own = join_argv(groups.make(f"{lab.id}/{host}.sup"), loop, str(under.descriptor))
    _detach(own, log, under)


def keep(lab: Lab, name: str, argv: Sequence[str], under: Held) -> None:
    """Run `argv` in the group `name` of the lab and, should it end, again; return at once, and outlive the caller.

    Raises MachineError when not even the supervisor started."""
    loop = ("bash", "-c", KEEP, "keep", *argv)
    if systemd_runs():  # no Restart=: whoever kills the group means the loop, too
        under.run(("systemd-run", "--quiet", "--collect", f"--unit={lab.id}-{name}", "--", *loop))
        return
    own = join_argv(Hierarchies.here().make(f"{lab.id}/{name}"), loop, str(under.descriptor))
    _detach(own, lab.folder / "log", under)


def _detach(argv: Sequence[str], log: Path, under: Held) -> None:
    with log.open("ab") as out:
        done = subprocess.run(
            ("setsid", "--fork", *argv),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd="/",
            pass_fds=(under.descriptor,),
        )
    if done.returncode:
        raise MachineError(what="a supervisor did not start", where=str(log), expected="setsid to end with 0")


def groups_of(lab: Lab, host: str) -> tuple[Path, ...]:
    """The folders of the groups of `host` and of its supervisor, in all hierarchies."""
    return groups_named(lab, {host, f"{host}.sup", f"{lab.machine(host)}.service"})


def build_groups(lab: Lab) -> tuple[Path, ...]:
    """The folders of the group that `scope_argv` starts commands in."""
    return groups_named(lab, {".build", f"{lab.id}-.build.scope"})


def groups_named(lab: Lab, names: set[str]) -> tuple[Path, ...]:
    """The folders of the groups of `lab` with one of `names`, in all hierarchies."""
    tops = Hierarchies.here().folders(lab.id)
    return tuple(path for top in tops for path in (top, *_children(top)) if path.name in names)


def init_pid(lab: Lab, host: str) -> int | None:
    """The guest's PID 1 as the machine counts; None when the host is off."""
    return init_of(groups_of(lab, host))


def init_of(groups: Iterable[Path]) -> int | None:
    """The same by the folders of the host's groups; its other processes are older or younger, but none is a PID 1."""
    guests = (path / "payload" for path in groups)
    for group in (path for guest in guests for path in (guest / "init.scope", guest)):
        with suppress(OSError):  # another hierarchy has it, or it just went away
            for pid in (group / "cgroup.procs").read_text().split():
                if _is_init(pid):  # numbers wrap around, so the lowest need not be the first
                    return int(pid)
    return None


def _is_init(pid: str) -> bool:
    """Whether a process is its own namespace's PID 1."""
    numbers = Path(f"/proc/{pid}/status").read_text().partition("NSpid:")[2].partition("\n")[0]
    return numbers.split()[-1:] == ["1"]


def supervised(lab: Lab, host: str) -> bool:
    """Whether a guest runs and somebody is there to boot it again when it reboots."""
    if init_pid(lab, host) is None:
        return False
    return systemd_runs() or bool(cgroup.pids(path for path in groups_of(lab, host) if path.name == f"{host}.sup"))


def power_off(lab: Lab, host: str) -> None:
    """Cut the power: no process of `host` gets to say anything."""
    cgroup.kill(sorted(groups_of(lab, host), key=lambda path: not path.name.endswith(".sup")))


def exec_argv(lab: Lab, host: str, command: Sequence[str]) -> tuple[str, ...]:
    """`command` inside `host` as root, without its network, ssh or systemd. Raises HostError when the host is off."""
    pid = init_pid(lab, host)
    if pid is None:
        raise HostError(
            what="the host is off",
            where=host,
            expected="a running host",
            hint="`himari lab ls` shows the hosts; `himari up` boots those that are off",
        )
    kinds = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
    environment = GUEST_ENVIRONMENT | {"TERM": os.environ.get("TERM", "dumb")}
    assignments = (f"{name}={value}" for name, value in environment.items())
    return ("nsenter", f"--target={pid}", *kinds, "--", "env", "-i", *assignments, *command)


def _children(folder: Path) -> tuple[Path, ...]:
    with suppress(OSError):
        return tuple(path for path in folder.iterdir() if path.is_dir())
    return ()

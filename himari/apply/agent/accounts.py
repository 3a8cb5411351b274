"""Users on the host."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

from himari.apply.agent.command import run
from himari.apply.agent.files import replace
from himari.apply.agent.wire import Account, UserChange

_AS_IT_IS = "surrogateescape"  # a comment in another encoding is written back unchanged


def look(name: str) -> Account | None:
    """The user as it is; None when there is none."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = sorted(group.gr_name for group in grp.getgrall() if name in group.gr_mem)
    return Account(entry.pw_dir, entry.pw_shell, groups, keys(entry.pw_dir), _has_sudo(name))


def put(change: UserChange) -> None:
    """Make the user, or give the one that is there its groups, key and rights."""
    if look(change.name) is None:
        run(["useradd", *(login_options(change.home) if change.login else _system(change)), change.name])
    if change.groups:
        run(["usermod", "--append", "--groups", ",".join(change.groups), change.name])
    if change.login:
        _authorize(change)
    if change.sudo_rule and not _has_sudo(change.name):
        replace(_sudoers(change.name), change.sudo_rule.encode(), 0o440)


def _system(change: UserChange) -> list[str]:
    return ["--system", "--user-group", "--no-create-home", "--home-dir", change.home, "--shell", "/usr/sbin/nologin"]


def login_options(home: str) -> list[str]:
    """The options of `useradd` for a user that logs in with a key alone."""
    # "*" is no password that anybody could type, yet not the lock that sshd without PAM would refuse.
    return ["--create-home", "--user-group", "--home-dir", home, "--shell", "/bin/bash", "--password", "*"]


def _authorize(change: UserChange) -> None:
    entry = pwd.getpwnam(change.name)
    folder = Path(entry.pw_dir) / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    path = folder / "authorized_keys"
    lines = _lines(path)
    if _identity(change.key) not in map(_identity, lines):
        content = "".join(f"{line}\n" for line in (*lines, change.key.strip()))
        replace(path, content.encode(errors=_AS_IT_IS), 0o600, change.name, grp.getgrgid(entry.pw_gid).gr_name)


def keys(home: str) -> list[str]:
    """ "type blob" of each key that may log in to `home`."""
    return [_identity(line) for line in _lines(Path(home) / ".ssh" / "authorized_keys") if line.strip()]


def _lines(path: Path) -> list[str]:
    return path.read_text(errors=_AS_IT_IS).splitlines() if path.exists() else []


def _identity(line: str) -> str:
    return " ".join(line.split()[:2])


def _sudoers(name: str) -> Path:
    return Path("/etc/sudoers.d") / name


def _has_sudo(name: str) -> bool:
    # What the rule says may be a component's file; without any the operator would be locked out.
    return _sudoers(name).exists() and _sudoers(name).stat().st_size > 0

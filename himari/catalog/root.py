"""Root's rights on a host: its deploy user may run one program by sudo, and that runs what it is sent."""

from pathlib import PurePosixPath
from shlex import quote, split

from himari.stack.paths import TEMPLATES

ENTRY = "/usr/local/sbin/himari-agent"
_NAMED = 2  # words of a command that sudo's log shows


def sudo_rule(user: str) -> str:
    """The line of sudoers: that program and no other, without a password, as there is none to ask for."""
    return f"{user} ALL=(root) NOPASSWD: {ENTRY}\n"


def entry_program() -> str:
    """The program's text, which first contact puts in place and day 1 keeps."""
    return (TEMPLATES / "accounts" / f"{ENTRY.lstrip('/')}.j2").read_text()


def as_root(command: str) -> str:
    """Shell text that runs the shell text `command` as root on a host that was met, with the same standard input.

    The first words of `command` are in the host's journal."""
    program = f"import os; os.execv('/bin/sh', ['sh', '-c', {command!r}])"
    length = len(program.encode()) + 1  # with the end of its line
    first, *others = split(command)[:_NAMED]
    named = " ".join((PurePosixPath(first).name, *others))[:60]
    return f"{{ printf '%s\\n' {length} {quote(program)}; cat; }} | sudo -n {ENTRY} {quote(named)}"

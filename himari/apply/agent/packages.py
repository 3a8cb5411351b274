"""Debian packages, from the host's own sources."""

from __future__ import annotations

import time

from himari.apply.agent.command import StepError, attempt, run
from himari.apply.agent.files import replace
from himari.apply.agent.places import Places

_REFUSE = b"#!/bin/sh\n# himari: services start once they are configured\nexit 101\n"
_LOCK_SECONDS = 120
_APT = [
    "apt-get",
    "-qq",
    "-o",
    f"DPkg::Lock::Timeout={_LOCK_SECONDS}",
    "-o",
    "Dpkg::Options::=--force-confdef",
    "-o",
    "Dpkg::Options::=--force-confold",
]


def installed(names: list[str]) -> dict[str, str]:
    """The versions of those of `names` that are installed."""
    if not names:
        return {}
    query = attempt(["dpkg-query", "-W", "-f=${db:Status-Status} ${Package} ${Version}\n", *names])
    rows = (line.split() for line in query.stdout.splitlines() if line.startswith("installed "))
    return {row[1]: row[2] for row in rows}


def install(names: list[str], places: Places) -> None:
    """Install `names` without starting their services. Raises StepError with apt's last lines."""
    ours = not places.policy.exists()
    if ours:
        replace(places.policy, _REFUSE, 0o755)
    try:
        _install(names)
    finally:
        if ours:
            places.policy.unlink()


def sweep(places: Places) -> None:
    """Let services start again where an installation was cut off."""
    if places.policy.is_file() and places.policy.read_bytes() == _REFUSE:
        places.policy.unlink()


def _install(names: list[str]) -> None:
    command = [*_APT, "install", "-y", "--no-install-recommends", *names]
    if attempt(command).returncode == 0:
        return
    # Either the lists are old or missing, or an earlier run was cut off in the middle of dpkg.
    run(["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"])
    update()
    run(command)


def update(*options: str) -> None:
    """Read the repositories' lists anew, once nobody else has them. Raises StepError with apt's last lines."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        done = attempt([*_APT, "update", *options])
        if done.returncode == 0:
            return
        # apt waits for dpkg's lock by itself, but not for that of the lists.
        if "Could not get lock" not in done.stdout or time.monotonic() > deadline:
            raise StepError("apt-get update", done.stdout.strip().splitlines()[-10:])
        time.sleep(1)

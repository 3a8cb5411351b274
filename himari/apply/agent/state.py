"""What a host is, in one answer."""

from __future__ import annotations

import sys
from pathlib import Path

from himari.apply.agent import (
    accounts,
    credentials,
    environments,
    files,
    guard,
    packages,
    trees,
    units,
    uploads,
    wireguard,
)
from himari.apply.agent.places import Places
from himari.apply.agent.wire import Account, Entry, Query, State


def read(query: Query, places: Places) -> State:
    """The state of this host, as far as `query` asks; nothing is changed."""
    whole = trees.whole(places) if query.trees else []  # each file of theirs is read
    linked = {link: trees.linked(link, places) for link in query.trees}
    return State(
        debian=_text("/etc/debian_version"),
        python=f"cp{sys.version_info.major}{sys.version_info.minor}",
        boot_id=_text("/proc/sys/kernel/random/boot_id"),
        container=Path("/run/systemd/container").exists(),
        wireguard_public_key=wireguard.public_key(places),
        packages=packages.installed(query.packages),
        users=_users(query.users),
        entries=_entries(query.paths, places),
        environments={link: environments.linked(link, places) for link in query.environments},
        uploaded=[*uploads.held(places.wheels), *whole],
        credentials=credentials.matching(query.credentials, places),
        units=units.look(query.units, places),
        trees={link: digest for link, digest in linked.items() if digest in whole},
        unconfirmed=guard.unconfirmed(places),
    )


def _users(names: list[str]) -> dict[str, Account]:
    found = {name: accounts.look(name) for name in names}
    return {name: account for name, account in found.items() if account is not None}


def _entries(paths: list[str], places: Places) -> dict[str, Entry]:
    found = {path: files.look(path, places) for path in paths}
    return {path: entry for path, entry in found.items() if entry is not None}


def _text(path: str) -> str:
    return Path(path).read_text(errors="replace").strip() if Path(path).exists() else ""

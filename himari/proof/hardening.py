"""The hardening suite as a page: which checks it is made of, what each says, and what it stands for.

`python -m himari.proof.hardening` writes docs/hardening.md from the checks themselves."""

import importlib.util
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from himari.catalog.containers import not_covered
from himari.catalog.root import ENTRY
from himari.proof.checks import Statement, statement_of
from himari.proof.derived import CHECKS
from himari.proof.sysctls import SYSCTLS
from himari.stack.paths import PROJECT, VALIDATION

PAGE = PROJECT / "docs" / "hardening.md"
# A check belongs to the first group that one of its patterns names.
GROUPS = {
    "ssh": ("sshd.*",),
    "Firewall": ("nftables.*",),
    "Kernel": (
        *(
            f"kernel.sysctl.{names}"
            for names in ("kernel.*", "fs.*", "dev.*", "vm.unpriv*", "vm.mmap*", "net.core.bpf*")
        ),
        *(f"kernel.sysctl.net.{names}" for names in ("ipv6.*", "ipv4.conf.*", "ipv4.icmp_*", "ipv4.ip_forward")),
        *(f"kernel.sysctl.net.ipv4.tcp_{name}" for name in ("rfc1337", "syncookies", "timestamps")),
        *("kernel.unused-*", "kernel.up-to-date"),
    ),
    "System": (
        *("accounts.*", "upgrades.*", "{component}.{item}.exposure", "{component}.credentials"),
        *("redis.default-off", "redis.users", "redis.{item}", "wireguard.key", "runtime.root-owned"),
    ),
}
INTRODUCTION = f"""# Hardening

What is closed on a host, and the check that shows it, on every host and in each proof. Of the stack's own machines
only: on a computer of yours (`existing = true`) Himari adds its services and leaves the rest to you.

Each row is a check of `himari validate`: it asks the running system (`sshd -T`, `sysctl`, `nft`, `ss`), not the files.
"Instead of" names the step of the guide for which it stands. What only a kernel of its own shows is `not covered` in a
lab's container, with the reason in the evidence.

## What is left open, and why

- `net.ipv4.tcp_timestamps` stays 1, which some baselines turn off: TCP measures round trips with it.
- ssh exchanges keys by mlkem768x25519 (Debian 13) or sntrup761x25519 (both); curve25519 stays for native pyinfra.
- The deploy user may run one program by sudo, `{ENTRY}`, which does what it is sent. That is root's
  power, as who installs services needs it: guard the key. Fixed verbs would not change that: whoever writes units and
  their programs is root. sudo runs nothing else for the user, and the journal (`journalctl -t sudo`) shows what each
  use was for.
- pyinfra operations of your own (`apt.packages(..., _sudo=True)`) run a shell as root, which that rule refuses. Should
  you want them, put a file of your own into `/etc/sudoers.d` that says `NOPASSWD: ALL` of the user. The check
  `accounts.sudo` is red for as long as it is there. `himari`, and pyinfra with `deploy/`, do not need it.
- Debian's own units (`ssh`, `chrony`, `systemd-*`) keep their bounds; each unit of ours is below 3.0 of
  `systemd-analyze security`.
- `/tmp` may run programs: Debian's package configuration does so.
"""


class Row(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A check as the page shows it."""

    id: str
    says: str
    severity: str
    replaces: str
    container: str  # why a container cannot show it


def rows() -> Iterator[Row]:
    """All checks that there are, as they are written; those of kernel settings one by one."""
    for statement in sorted(_statements(), key=lambda one: one.id):
        if statement.each == "sysctls":
            yield from (_row(statement, f"kernel.sysctl.{one.name}", one.says, one.replaces) for one in SYSCTLS)
        else:
            yield _row(statement, statement.id, statement.says, statement.replaces)


def suite() -> dict[str, list[Row]]:
    """The hardening suite, group by group."""
    found: dict[str, list[Row]] = {group: [] for group in GROUPS}
    for row in rows():
        for group, patterns in GROUPS.items():
            if any(row.id == pattern or fnmatchcase(row.id, pattern) for pattern in patterns):
                found[group].append(row)
                break
    return found


def page() -> str:
    """The text of docs/hardening.md."""
    groups = suite()
    count = sum(len(held) for held in groups.values())
    parts = [INTRODUCTION, f"## The {count} checks\n"]
    for group, held in groups.items():
        lines = [f"### {group}: {len(held)}\n", "| check | says | severity | instead of | in a container |"]
        lines.append("| --- | --- | --- | --- | --- |")
        lines += [f"| `{row.id}` | {row.says} | {row.severity} | {row.replaces} | {row.container} |" for row in held]
        parts.append("\n".join((*lines, "")))
    return "\n".join(parts)


def _row(statement: Statement, check_id: str, says: str, replaces: str) -> Row:
    reason = not_covered(check_id)
    shown = f"not covered: {reason}" if reason else "shown"
    words = {"says": "from one place to another: open where a component talks to it, refused elsewhere"}
    names = {"component": "its component", "item": "each", "host": "a host"}
    said = says.format(**names, **words) if "{" in says else says
    return Row(id=check_id, says=said, severity=statement.severity.value, replaces=replaces, container=shown)


def _statements() -> Iterator[Statement]:
    written = [vars(_module(path)).values() for path in sorted(VALIDATION.glob("day*/test_*.py"))]
    for function in (*CHECKS.values(), *(one for module in written for one in module)):
        statement = statement_of(function) if callable(function) else None
        if statement is not None:
            yield statement


def _module(path: Path) -> object:
    specification = importlib.util.spec_from_file_location(f"validation_{path.parent.name}_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is no module")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


if __name__ == "__main__":
    PAGE.write_text(page())

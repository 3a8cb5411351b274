"""The machine's own apt sources, read when an image is built: no archive's name is written into this project."""

import subprocess
from pathlib import Path

from himari.stack.errors import MachineError

APT_SOURCES = Path("/etc/apt/sources.list.d")
APT_SOURCES_LIST = Path("/etc/apt/sources.list")


def options() -> tuple[str, ...]:
    """The settings of the machine's apt that decide whether the archive can be reached, as apt.conf lines."""
    dump = subprocess.run(("apt-config", "dump"), check=True, capture_output=True, text=True).stdout
    return reach(dump)


def reach(dump: str) -> tuple[str, ...]:
    """Of `apt-config dump`'s text the lines about proxies, certificates and the validity of the archive's dates."""
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-")
    return tuple(line for line in dump.splitlines() if line.startswith(wanted) and not line.endswith(' "";'))


def release() -> str:
    """The code name of this machine's Debian. Raises MachineError when it is none."""
    lines = Path("/etc/os-release").read_text().splitlines()
    values = dict(line.partition("=")[::2] for line in lines if "=" in line)
    if values.get("ID") != "debian":
        raise MachineError(
            what="a lab is made from this machine's own Debian archive, and this is no Debian",
            where="/etc/os-release",
            expected="ID=debian",
            hint="run Himari on Debian 12, for example in a virtual machine of it",
        )
    return values["VERSION_CODENAME"].strip('"')


def read(suite: str) -> str:
    """The stanzas of the machine's apt that serve its own release, and nothing that others added.

    Raises MachineError when there is none."""
    stanzas = [stanza for path in sorted(APT_SOURCES.glob("*.sources")) for stanza in path.read_text().split("\n\n")]
    lines = [line for path in (APT_SOURCES_LIST, *sorted(APT_SOURCES.glob("*.list"))) for line in _lines(path)]
    ours = [*(s for s in stanzas if own_stanza(s, suite)), *(deb822(line) for line in lines if own_line(line, suite))]
    if not ours:
        raise MachineError(
            what=f"apt knows no archive of {suite}",
            where=str(APT_SOURCES),
            expected=f"sources with the suite {suite}",
            hint="add Debian's sources to this machine and run apt-get update",
        )
    return "\n\n".join(stanza.strip() for stanza in ours) + "\n"


def own_stanza(stanza: str, suite: str) -> bool:
    """Whether a deb822 stanza serves binaries of `suite`, its updates or its security fixes, and nothing else."""
    fields = dict(line.partition(":")[::2] for line in stanza.splitlines() if ":" in line and line[0] not in "# ")
    suites = fields.get("Suites", "").split()
    enabled = fields.get("Enabled", "yes").strip() != "no"
    return enabled and "deb" in fields.get("Types", "").split() and bool(suites) and set(suites) <= _suites(suite)


def own_line(line: str, suite: str) -> bool:
    """Whether a one-line source serves binaries of `suite`, its updates or its security fixes."""
    words = line.rpartition("]")[2].removeprefix("deb ").split()
    return line.startswith("deb ") and len(words) > 2 and words[1] in _suites(suite)


def deb822(line: str) -> str:
    """A one-line source as a stanza; its options other than signed-by do not matter here."""
    options, _, rest = line.removeprefix("deb ").rpartition("]")
    uri, suite, *components = rest.split()
    signed = [option for option in options.strip(" [").split() if option.startswith("signed-by=")]
    keys = f"\nSigned-By: {signed[0].partition('=')[2]}" if signed else ""
    return f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: {' '.join(components)}{keys}"


def _suites(suite: str) -> set[str]:
    return {suite, f"{suite}-updates", f"{suite}-security"}


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text().splitlines()] if path.exists() else []

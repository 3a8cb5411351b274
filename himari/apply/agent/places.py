"""Where the agent keeps its own things on a host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """`run` is lost at a reboot; `lib` stays."""

    run: Path = Path("/run/himari")
    lib: Path = Path("/var/lib/himari-apply")
    etc: Path = Path("/etc/himari")
    system: Path = Path("/etc/systemd/system")
    credstore: Path = Path("/etc/credstore.encrypted")
    wheels: Path = Path("/var/cache/himari/wheels")
    environments: Path = Path("/opt/himari/envs")
    trees: Path = Path("/opt/himari/trees")
    wireguard_key: Path = Path("/etc/wireguard/private.key")
    policy: Path = Path("/usr/sbin/policy-rc.d")  # asked by Debian's packages whether they may start their services

    @property
    def linked(self) -> set[str]:
        """The digests of the environments and trees that a link needs."""
        links = (link for link in self.environments.parent.glob("*") if link.is_symlink())
        return {link.resolve().name for link in links}

    @property
    def units(self) -> Path:
        """A file per unit: the digest of what it started with. On disk: a reboot starts it with the same files."""
        return self.lib / "units"

    @property
    def guards(self) -> Path:
        """A folder per guarded change that waits to be confirmed; on disk, as a reboot confirms nothing."""
        return self.lib / "guard"

    @property
    def pending(self) -> Path:
        """A file per file whose `apply` command is owed."""
        return self.lib / "pending"

    @property
    def credential_key(self) -> Path:
        return self.etc / "credential.key"

    @property
    def holder(self) -> Path:
        """The name of the stack that this host belongs to; first contact notes it."""
        return self.etc / "stack"

    @property
    def credential_marks(self) -> Path:
        """HMAC of each credential's value and encrypted file: the same value is encrypted differently each time."""
        return self.etc / "credential.marks"

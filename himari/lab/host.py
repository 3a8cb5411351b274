"""The files of one host: its own layer over the image, and what makes it this host and no other."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from himari.lab.identity import Lab
from himari.lab.lock import Held

RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


class HostFiles(msgspec.Struct, frozen=True):
    """A host's folder below the lab's."""

    folder: Path

    @classmethod
    def of(cls, lab: Lab, host: str) -> "HostFiles":
        return cls(lab.host_folder(host))

    @property
    def root(self) -> Path:
        """The merged tree that the host boots from."""
        return self.folder / "root"

    @property
    def disk(self) -> Path:
        """The file that is the host's disk, where it has one of its own."""
        return self.folder / "disk.ext4"

    @property
    def disk_mount(self) -> Path:
        """Where this machine sees that disk."""
        return self.folder / "disk"

    @property
    def upper(self) -> Path:
        """What the host wrote, on its own disk or else on this machine's."""
        return (self.disk_mount if self.disk.exists() else self.folder) / "upper"

    @property
    def console(self) -> Path:
        """What the supervisor and the guest's systemd wrote while booting."""
        return self.folder / "console.log"

    @property
    def key(self) -> Path:
        """The host's private ssh key, made outside so that it can be pinned before first contact."""
        return self.folder / "ssh_host_ed25519_key"

    @property
    def met(self) -> Path:
        """Exists once ssh let the operator in: from then on who may log in is the deployment's business."""
        return self.folder / "met"

    def public_key(self) -> str:
        """ "ssh-ed25519 AAAA...", without the comment."""
        return " ".join(self.key.with_suffix(".pub").read_text().split()[:2])


def make_key(path: Path, comment: str, under: Held) -> None:
    """An ed25519 key pair at `path` and `path`.pub; one that is there stays."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".tmp")
    for left in (draft, draft.with_name(draft.name + ".pub")):
        left.unlink(missing_ok=True)
    under.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(draft)))
    draft.with_name(draft.name + ".pub").replace(path.with_name(path.name + ".pub"))
    draft.replace(path)


def mount(files: HostFiles, image: Path, name: str, under: Held) -> None:
    """Put the host's layer over the image; a mounted one stays as it is."""
    if files.root.is_mount():
        return
    upper, work = files.upper, files.upper.with_name("work")
    shutil.rmtree(work, ignore_errors=True)  # scratch; the kernel refuses that of an earlier volatile mount
    for folder in (upper, work, files.root):
        folder.mkdir(parents=True, exist_ok=True)
    # Volatile: unmounting would otherwise write out all that anybody has not yet written to that disk.
    layers = f"lowerdir={image},upperdir={upper},workdir={work},volatile"
    under.run(("mount", "-t", "overlay", name, "-o", layers, str(files.root)))


def introduce(files: HostFiles, host: str, operator_key: str) -> None:
    """What a host has before its first boot: its name, its ssh key, and the operator's key for root."""
    put(files.root / "etc/hostname", f"{host}\n")
    put(files.root / "etc/ssh/ssh_host_ed25519_key", files.key.read_text(), 0o600)
    put(files.root / "etc/ssh/ssh_host_ed25519_key.pub", files.public_key() + "\n")
    (files.root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    put(files.root / "root/.ssh/authorized_keys", operator_key, 0o600)


def tell_neighbours(files: HostFiles, addresses: Mapping[str, str]) -> None:
    """The names of all hosts of the lab, and who resolves all others. Without them sudo waits for a name server."""
    lines = ("127.0.0.1 localhost", *(f"{address} {name}" for name, address in addresses.items()))
    put(files.root / "etc/hosts", "\n".join(lines) + "\n")
    put(files.root / "etc/resolv.conf", resolvers(*(path.read_text() for path in RESOLVERS if path.exists())))


def resolvers(*texts: str) -> str:
    """The first of the resolv.conf `texts` that a host can use: one that names a server beyond the machine itself."""
    for text in texts:
        servers = [line.split()[1] for line in text.splitlines() if line.startswith("nameserver ")]
        if any(not server.startswith(("127.", "::1")) for server in servers):
            return text
    return ""


def put(path: Path, text: str, mode: int = 0o644) -> None:
    """Write `path` unless it says `text` already: a running host shall see no file change for nothing."""
    if path.is_symlink():
        path.unlink()
    if not path.exists() or path.read_text() != text:
        path.touch(mode)
        path.chmod(mode)
        path.write_text(text)

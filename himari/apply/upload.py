"""Wheels and trees on their way to a host: root's there, whole, and under their name only once they are on the disk."""

import hashlib
import subprocess
from pathlib import Path
from shlex import quote

from himari.apply.agent.places import Places
from himari.apply.cache import KIND
from himari.apply.trees import tree_folder
from himari.apply.wheelhouse import wheelhouse
from himari.catalog.component import Artifact, Tree
from himari.ssh.connection import Reach
from himari.stack.errors import DeployError

# The archive tells of the operator's own uid, which may be anybody's on the host, and of rights by the operator's
# umask; it also holds the folder itself.
_RECEIVE = """set -e; umask 022; mkdir -p {root}; draft=$(mktemp -d {root}/.XXXXXXXX); trap 'rm -rf "$draft"' EXIT
tar --no-same-owner --no-same-permissions --touch -xf - -C "$draft"; cd "$draft"
echo '{sums}  SHA256SUMS' | sha256sum --quiet -c -; sha256sum --quiet -c SHA256SUMS
cd /; chmod -R u=rwX,go=rX "$draft"; touch "$draft"; sync --file-system "$draft"; rm -rf {root}/{digest}
mv "$draft" {root}/{digest}"""


def upload(what: Artifact | Tree, python: str, reach: Reach) -> None:
    """Put the wheels for `python`, or the tree, onto the host, checked there against their sums.

    Raises DeployError when they did not arrive, MachineError when they cannot be had here."""
    folder = tree_folder(what) if isinstance(what, Tree) else wheelhouse(what, python)
    script = receive(folder, Places().trees if isinstance(what, Tree) else Places().wheels)
    argv = ["tar", "-C", str(folder), f"--exclude=./{KIND}", "-cf", "-", "."]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as packing:
        result = reach.run(reach.as_root(f"sh -c {quote(script)}"), packing.stdout)
    if result.code:
        raise DeployError(f"the {what.origin} of {what.name} did not arrive: {result.err.strip()}", reach.host_name)


def receive(folder: Path, root: Path) -> str:
    """What a host runs, with the archive of `folder` on its stdin, to hold it below `root`."""
    sums = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    return _RECEIVE.format(root=root, sums=sums, digest=folder.name)

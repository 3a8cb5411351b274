"""Wheels on their way to a host: root's there, whole, and under their name only once they are on the disk."""

import hashlib
import subprocess
from pathlib import Path
from shlex import quote

from himari.apply.agent.places import Places
from himari.apply.wheel_cache import KIND
from himari.apply.wheelhouse import wheelhouse
from himari.catalog.component import Artifact
from himari.ssh.connection import Reach
from himari.stack.errors import DeployError

# The archive tells of the operator's own uid, which may be anybody's on the host; it also holds the folder itself.
_RECEIVE = """set -e; umask 022; mkdir -p {root}; draft=$(mktemp -d {root}/.XXXXXXXX); trap 'rm -rf "$draft"' EXIT
tar --no-same-owner --no-same-permissions --touch -xf - -C "$draft"; cd "$draft"
echo '{sums}  SHA256SUMS' | sha256sum --quiet -c -; sha256sum --quiet -c SHA256SUMS
cd /; chmod 755 "$draft"; touch "$draft"; sync --file-system "$draft"; rm -rf {root}/{digest}
mv "$draft" {root}/{digest}"""


def upload(artifact: Artifact, python: str, reach: Reach) -> None:
    """Put the wheelhouse onto the host, checked there against its sums. Raises DeployError when it did not arrive."""
    folder = wheelhouse(artifact, python)
    script = receive(folder, Places().wheels)
    argv = ["tar", "-C", str(folder), f"--exclude=./{KIND}", "-cf", "-", "."]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as packing:
        result = reach.run(reach.as_root(f"sh -c {quote(script)}"), packing.stdout)
    if result.code:
        raise DeployError(f"the wheels of {artifact.name} did not arrive: {result.err.strip()}", reach.host_name)


def receive(folder: Path, root: Path) -> str:
    """What a host runs, with the archive of wheelhouse `folder` on its stdin, to hold it below `root`."""
    sums = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    return _RECEIVE.format(root=root, sums=sums, digest=folder.name)

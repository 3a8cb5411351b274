"""The programs that encrypt: where they are on this machine, and how to get what is missing."""

import shutil

from himari.stack.errors import MachineError

# Debian 12 has no sops. Go's own client checks what it builds against the public checksum database.
MENDS = {
    "sops": "a release of the getsops project, 3.11 or later, or, with Go 1.24: "
    "go install github.com/getsops/sops/v3/cmd/sops@v3.11.0",
    "age-keygen": "apt-get install age",
}


def tool(name: str) -> str:
    """The path of a program. Raises MachineError, with what helps, when there is none."""
    found = shutil.which(name)
    if found is None:
        raise MachineError(f"{name} is missing", "PATH", "the program that keeps a stack's secrets", MENDS[name])
    return found

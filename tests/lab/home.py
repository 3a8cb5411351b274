"""A computer at home that is its operator's machine and the brain at once, and a rented server for the edge.

The computer is a host of a lab. Its operator is a user with sudo, a key and the project's checkout; there is no package
index, so that what the checkout and the wheels' cache hold must do."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

import msgspec

from himari.apply.wheelhouse import wheelhouse
from himari.catalog.component import View
from himari.catalog.host import components
from himari.lab import lab
from himari.runs.report import UpReport
from himari.stack.known import KnownHost
from himari.stack.load import load_stack
from himari.stack.paths import PROJECT, StateDir
from tests.lab.rented import BIN, MACHINES, OWN, OWN_RULES, machines, machines_state, stack_file

OWNER = "ada"
HOME = Path("/home") / OWNER
SUDO = Path("/etc/sudoers.d") / OWNER
KEY = HOME / ".ssh" / "id_ed25519"
AUTHORITY = HOME / "venue-ca.pem"
WHEELS = HOME / ".cache" / "himari" / "wheels"
STACK = "rented"
FILE = PROJECT / "inventories" / f"{STACK}.toml"
STATE = StateDir(PROJECT / ".himari" / STACK)
HERE = "brain"  # what the stack calls this computer
# What an operator's commands never import; it is the greater part of the environment.
LEFT_OUT = ("pyarrow*", "*duckdb*", "mypy*", "*mypyc*", "hypothesis*", "zstandard*", "setuptools*")
CHECKOUT = (
    ".venv",
    "deploy",
    "exchange",
    "himari",
    "inventories",
    "requirements",
    "runtime",
    "templates",
    "validation",
)
MAKE_OWNER = f"""useradd --create-home --shell /bin/bash {OWNER}
echo '{OWNER} ALL=(ALL:ALL) NOPASSWD: ALL' >{SUDO}
install -d -m 700 -o {OWNER} -g {OWNER} {KEY.parent} {HOME}/.cache {HOME}/.cache/himari {WHEELS}
install -d -o {OWNER} -g {OWNER} {PROJECT}"""

# Whatever exists: files, users, tables, links, units. Left out are the owner's own files and what packages bring.
EVERYTHING = f"""find / -xdev \\( -path {PROJECT} -o -path {HOME} -o -path /tmp -o -path /usr -o -path /var/log \
  -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/cache/apt -o -path /proc -o -path /sys \\) -prune -o -print
find /run/himari* /run/systemd/transient -name '*himari*' 2>/dev/null || true
getent passwd | sed 's/^/user /; s/:.*//'
nft list tables
ls -1 /sys/class/net | sed 's/^/link /'
systemctl list-units --all --plain --no-legend 'himari*' 'wg-quick@*' | sed 's/ .*//'"""


class Home:
    """The computer at home, driven by who sits at it."""

    def __init__(self, root: Path, known: dict[str, KnownHost]) -> None:
        self.root = root
        self.known = known
        self.inside(HERE, OWN_RULES)
        self.inside(HERE, MAKE_OWNER)
        self.since = ""
        self.untouched = self.own()
        self.before = self.everything()

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """The command line of `himari` at home, as its owner."""
        words = ("env", f"HOME={HOME}", f"USER={OWNER}", str(BIN / "himari"), *arguments)
        return self._argv(HERE, ("runuser", "-u", OWNER, "--", *words))

    def himari(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command at home as its owner; how it ended, whatever that was."""
        return subprocess.run(self.argv(*arguments), capture_output=True, text=True, timeout=400, check=False)

    def up_to_the_proof(self) -> int:
        """`himari up`, stopped by Ctrl-C where all is in place and only the proof is missing; how it ended."""
        with subprocess.Popen(self.argv("up", STACK), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            said = []
            for line in process.stderr or ():
                said.append(line.decode())
                if line.startswith(b"validate: started"):
                    break
            else:
                raise AssertionError("".join(said[-20:]))
            self.inside(
                HERE, f"""kill -INT "$(python3 -c 'import json; print(json.load(open("{STATE.lock}"))["pid"])')" """
            )
            process.communicate(timeout=30)
        return process.returncode

    def up(self) -> UpReport:
        """`himari up --json`, which must end green; `since` is when it began."""
        self.since = self.inside(HERE, "date +%s.%N").strip()
        done = self.himari("up", STACK, "--json")
        assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
        return msgspec.json.decode(done.stdout, type=UpReport)

    def inside(self, host: str, command: str) -> str:
        """Standard output of a shell command that succeeds as root on `host`."""
        argv = self._argv(host, ("sh", "-ec", command))
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout

    def own(self) -> dict[str, str]:
        """What the computer has of its own."""
        return {name: self.inside(HERE, command) for name, command in OWN.items()}

    def everything(self) -> set[str]:
        """Names of all that exists there, a line each."""
        return set(self.inside(HERE, EVERYTHING).splitlines())

    def put(self, path: Path, text: str) -> None:
        """A file of the owner's at home."""
        self.inside(HERE, f"install -m 600 -o {OWNER} -g {OWNER} /dev/null {path}; printf %s {quote(text)} >{path}")

    def carry(self, folder: Path, names: Sequence[str], to: Path, owner: str = OWNER) -> None:
        """Files of this machine, at home below `to` as the owner's."""
        left_out = [f"--exclude=.venv/*/{pattern}" for pattern in LEFT_OUT]
        packing = ("tar", "-C", str(folder), *left_out, "-cf", "-", *names)
        unpacking = self._argv(HERE, ("runuser", "-u", owner, "--", "tar", "-C", str(to), "-xf", "-"))
        with subprocess.Popen(packing, stdout=subprocess.PIPE) as packed:
            subprocess.run(unpacking, stdin=packed.stdout, check=True)
        assert packed.returncode == 0

    def _argv(self, host: str, command: Sequence[str]) -> tuple[str, ...]:
        return lab.exec_argv(MACHINES, host, command, machines_state(self.root))


@contextmanager
def at_home(root: Path) -> Iterator[Home]:
    """The computer with all that its operator has before the first command; gone at the end, and the server too."""
    with machines(root) as (known, authority):
        home = Home(root, known)
        key = machines_state(root).ssh / "id_ed25519"
        for path, text in ((KEY, key), (KEY.with_suffix(".pub"), key.with_suffix(".pub")), (AUTHORITY, authority)):
            home.put(path, text.read_text())
        addresses = {"edge": known["edge"].address, HERE: "local"}
        home.carry(PROJECT, CHECKOUT, PROJECT)
        home.carry(Path("/usr/bin"), ("git",), Path("/usr/bin"), owner="root")
        for folder in wheelhouses():
            home.carry(folder.parent, (folder.name,), WHEELS)
        file = stack_file(root, addresses, operator=known[HERE].address, key=KEY, authority=AUTHORITY)
        home.put(FILE, file)
        yield home


def wheelhouses() -> Iterator[Path]:
    """What an edge and a brain with this Python install."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    stack = load_stack("lab-edge")
    views = (View(stack=stack, host_name=name) for name in ("edge", "brain"))
    parts = (part for view in views for _, part in components(view))
    return (wheelhouse(artifact, python) for part in parts for artifact in part.artifacts)

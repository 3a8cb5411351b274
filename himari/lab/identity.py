"""What a lab is called. Every trace that it leaves on the machine bears its id, so that names alone find them all."""

import os
from hashlib import blake2b
from pathlib import Path

import msgspec

from himari.stack.errors import MachineError
from himari.stack.paths import StateDir

RUN = Path("/run/himari")  # locks and the noted ip_forward: what is the machine's, not one lab's
PREFIX = "hm-"


def labs_root() -> Path:
    """The folder of all labs' files; `HIMARI_LABS` moves it."""
    return Path(os.environ.get("HIMARI_LABS", "/var/lib/himari/labs"))


class Lab(msgspec.Struct, frozen=True):
    """The names of one lab. Links have at most 15 characters, which is the kernel's limit."""

    id: str

    @classmethod
    def of(cls, stack_name: str, state: StateDir) -> "Lab":
        """The lab of a stack in one checkout: another checkout's has another state folder, so another id."""
        said = f"{state.path.resolve()}\0{stack_name}".encode()
        return cls(PREFIX + blake2b(said, digest_size=3).hexdigest())

    @property
    def folder(self) -> Path:
        return labs_root() / self.id

    @property
    def record(self) -> Path:
        return self.folder / "lab.json"

    @property
    def image(self) -> Path:
        """The image's files, read-only beneath each host's own."""
        return self.folder / "image"

    @property
    def lock(self) -> Path:
        return RUN / f"{self.id}.lock"

    @property
    def bridge(self) -> str:
        return f"{self.id}-br"

    @property
    def outside(self) -> str:
        """The namespace of a neighbour that is no host of the stack; no host's name holds an underscore."""
        return f"{self.id}_outside"

    def machine(self, host: str) -> str:
        """The name of a host's network namespace, of its container and, under systemd, of its unit."""
        return f"{self.id}-{host}"

    def link(self, number: int) -> str:
        """The bridge's end of the cable to the address that ends in `number`."""
        return f"{self.id}-v{number}"

    @property
    def hosts(self) -> Path:
        return self.folder / "hosts"

    def host_folder(self, host: str) -> Path:
        return self.hosts / host


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a lab must remember between two commands."""

    stack: str
    state: str  # the state folder's path
    subnet: str  # CIDR, a /24
    hosts: dict[str, int]  # name -> last byte of its address


def read_record(lab: Lab) -> Record | None:
    """What `lab` remembers; None when there is no such lab. Raises MachineError for a record that is spoiled."""
    try:
        return msgspec.json.decode(lab.record.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise MachineError(
            what=f"the lab's record is spoiled: {error}",
            where=str(lab.record),
            expected="what `himari up` has noted there",
            hint="`himari destroy STACK` removes the lab and needs no record; `himari up STACK` makes it anew",
        ) from None


def find_record(lab: Lab) -> Record | None:
    """The same for a lab that need not be ours: a record that cannot be read is none."""
    try:
        return read_record(lab)
    except MachineError:
        return None


def write_record(lab: Lab, record: Record) -> None:
    """Replace the lab's record in one step."""
    draft = lab.record.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    draft.replace(lab.record)


def known_labs() -> tuple[tuple[Lab, Record], ...]:
    """All labs below `labs_root()` that got as far as a record, by id."""
    return tuple((lab, record) for lab in all_labs() if (record := find_record(lab)) is not None)


def all_labs() -> tuple[Lab, ...]:
    """All labs below `labs_root()`, by id."""
    return tuple(Lab(path.name) for path in sorted(labs_root().glob(f"{PREFIX}*")))

"""Vendors' package repositories on a host: the keyring that vouches for one, and the file that tells apt of it."""

from himari.catalog.component import Component, File, Repository
from himari.stack.errors import StackFileError
from himari.stack.model import Source, Stack

KEYRINGS = "/etc/apt/keyrings"
SOURCES = "/etc/apt/sources.list.d"
# Of this repository alone, and strictly: others of the host are not ours to judge. The agent waits for apt's locks.
_UPDATE = ("apt-get", "update", "-o", "Dir::Etc::SourceParts=-", "-o", "APT::Get::List-Cleanup=0")
_STRICT = ("-o", "APT::Update::Error-Mode=any")
_CHECK = ("sh", "-c", 'echo "$1  $2" | sha256sum --quiet --check -', "sh")


def source(stack: Stack, repository: Repository) -> Source:
    """Where the stack file says that `repository` is. Raises StackFileError when it does not."""
    if repository.name in stack.sources:
        return stack.sources[repository.name]
    key = f"sources.{repository.name}"
    hint = f"[{key}] with the vendor's url and its keyring (a file here); himari schema explains both"
    raise StackFileError(f"nothing says where the packages of {repository.name} come from", key, "a table", hint)


def keyring_file(repository: Repository, root: str = "") -> File:
    """The keyring, below `root`; the host refuses one with another sha256 before anything is put in place."""
    check = (*_CHECK, repository.keyring_sha256, "{}")
    return File(path=f"{root}{KEYRINGS}/himari-{repository.keyring}", check=check, before_packages=True)


def sources_file(repository: Repository, root: str = "") -> File:
    """What tells apt of the repository, below `root`; its list is read anew when that changes."""
    path = f"{root}{SOURCES}/himari-{repository.name}.sources"
    update = (*_UPDATE, *_STRICT, "-o", f"Dir::Etc::SourceList={path}")
    return File(path=path, apply=update, before_packages=True)


def sources_text(repository: Repository, url: str, keyring: str) -> str:
    """The repository at `url` as apt reads it (deb822), signed by nobody but who is in `keyring`."""
    lines = {
        "Types": "deb",
        "URIs": url,
        "Suites": repository.suite,
        "Components": " ".join(repository.components),
        "Signed-By": keyring,
    }
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def all_files(component: Component) -> tuple[File, ...]:
    """The files of `component`, and those of its repositories."""
    return (
        *(file for one in component.repositories for file in (keyring_file(one), sources_file(one))),
        *component.files,
    )

"""The files of vendors' repositories, filled with what the stack file names."""

import hashlib
from pathlib import Path

from himari.apply.render import Rendered
from himari.catalog.component import Repository
from himari.catalog.repositories import keyring_file, source, sources_file, sources_text
from himari.stack.errors import StackFileError
from himari.stack.model import Stack


def repository_files(repository: Repository, stack: Stack, root: str = "") -> tuple[Rendered, Rendered]:
    """The keyring and the file for apt, below `root`.

    Raises StackFileError when the stack file says nothing of it, or names another keyring than the component does."""
    where = source(stack, repository)
    keyring, listed = keyring_file(repository, root), sources_file(repository, root)
    text = sources_text(repository, where.url, keyring.path)
    return Rendered(keyring, _keyring(repository, Path(where.keyring).expanduser())), Rendered(listed, text.encode())


def _keyring(repository: Repository, path: Path) -> bytes:
    key, hint = f"sources.{repository.name}.keyring", "take the vendor's keyring from the vendor"
    expected = f"a file with sha256 {repository.keyring_sha256}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StackFileError(f"{path} cannot be read: {error.strerror}", key, expected, hint) from None
    if hashlib.sha256(content).hexdigest() != repository.keyring_sha256:
        what = f"{path} is not the keyring that vouches for {repository.name}"
        raise StackFileError(f"{what}: sha256 {hashlib.sha256(content).hexdigest()}", key, expected, hint)
    return content

"""Trees for hosts: fetched here once by Maven, checked against their lock, and addressed by digest."""

from functools import partial
from pathlib import Path

from himari.apply.cache import Making, trees_root
from himari.apply.maven import fetch
from himari.apply.preparation import obtained
from himari.catalog.component import Tree
from himari.stack.maven_lock import Locked, address, read_maven_lock
from himari.stack.paths import LOCKS


def digest(tree: Tree) -> str:
    """The address of `tree`, here and on hosts. Raises StackFileError when its lock makes no sense."""
    return address(locked(tree))


def tree_folder(tree: Tree) -> Path:
    """The folder with exactly the lock's files and their SHA256SUMS; fetched when it is not there.

    Raises MachineError when it can be neither fetched nor kept, also when a Preparation could not."""
    return obtained(making(tree))


def making(tree: Tree) -> Making:
    """How that folder is made."""
    files = locked(tree)
    return Making(trees_root() / address(files), tree.lock, partial(fetch, files, tree.lock))


def locked(tree: Tree) -> tuple[Locked, ...]:
    """The files of `tree`. Raises StackFileError when its lock makes no sense."""
    return read_maven_lock(LOCKS / tree.lock)

"""A stack's secrets as the operator keeps them: made, edited, given other values, and looked at before a run."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from himari.apply.values import server_of, vault_names
from himari.catalog.host import secrets, users_of
from himari.runs.lock import hold
from himari.stack.errors import StackFileError
from himari.stack.model import Stack
from himari.stack.nearest import did_you_mean
from himari.stack.paths import StateDir
from himari.vault.age import key_file, make_key, recipients
from himari.vault.authority import Authority
from himari.vault.secrets import GIVEN, Secrets, random_value
from himari.vault.sops import SopsFile, write_rules


class SecretsLook(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stack's secrets are, which of them have no value, and which nothing uses."""

    where: str
    sealed: bool
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    says: tuple[str, ...]


class InitReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `init` found and did. `moved` lay in clear in the stack's state before."""

    stack: str
    file: str
    key_file: str
    key_made: bool
    rules_made: bool
    made: tuple[str, ...]
    moved: tuple[str, ...]
    kept: tuple[str, ...]
    missing: tuple[str, ...]  # only the operator knows them


class RotateReport(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that got another value, and the units that use it, as "host: unit"."""

    stack: str
    name: str
    where: str
    units: tuple[str, ...]


def look(stack: Stack, state: StateDir) -> SecretsLook:
    """What is to be said of the secrets before a run; needs no key and decrypts nothing."""
    held, wanted = Secrets.open(state, makes=False), vault_names(stack)
    sealed = held.sealed is not None
    where = str(held.sealed.path if held.sealed else state.secrets)
    # What is not sealed is made by the run itself, but for what only the operator knows.
    missing = tuple(name for name in held.missing(wanted) if sealed or name in GIVEN)
    unused = tuple(name for name in held.names if name not in wanted)
    says = tuple(_says(stack, where, missing=missing, unused=unused, sealed=sealed))
    return SecretsLook(where=where, sealed=sealed, missing=missing, unused=unused, says=says)


def _says(stack: Stack, where: str, *, missing: Sequence[str], unused: Sequence[str], sealed: bool) -> list[str]:
    says = []
    if not sealed and not stack.is_lab:
        file = SopsFile.of(stack.name).path
        says.append(f"Secrets lie in clear in {where}; himari secrets init {stack.name} moves them to {file}")
    says += [f"The secret {name} is missing: {_remedy(stack, name)}" for name in missing]
    gone = f"himari secrets edit {stack.name}" if sealed else f"remove it from {where}"
    says += [f"Nothing uses the secret {name} any more: {gone}" for name in unused]
    return says


def check_secrets(stack: Stack, state: StateDir) -> None:
    """Raise StackFileError for a secret without a value, or for a file that no key here opens, before a run begins."""
    seen = look(stack, state)
    if seen.missing:
        said = ", ".join(seen.missing)
        raise StackFileError(f"no value for {said}", seen.where, "a value each", _remedy(stack, seen.missing[0]))
    if seen.sealed:
        held = Secrets.open(state)
        for name in vault_names(stack):
            held.get(name)


def init(stack: Stack, state: StateDir, argv: Sequence[str]) -> InitReport:
    """Make the operator's key, the rules and the file of `stack`, with all that it lacks; may be repeated.

    Values that lay in clear in the stack's state are moved, so that nothing changes on the hosts. Raises
    StackFileError for a lab, MachineError for a program that is missing."""
    _refuse_lab(stack)
    file = SopsFile.of(stack.name)
    with hold(state.lock, argv):
        key_made = make_key()
        rules_made = write_rules(file.path.parent, recipients())
        clear = msgspec.structs.replace(Secrets.open(state), sealed=None)
        wanted, kept = vault_names(stack), file.names if file.exists else ()
        lacks = [name for name in wanted if name not in kept]
        moved = {name: clear.get(name) for name in lacks if name in clear.unsealed}
        made = {name: random_value() for name in lacks if name not in moved and name not in GIVEN}
        _add(file, moved | made)
        _remove_clear(file, clear)
    held = set(file.names)
    return InitReport(
        stack=stack.name,
        file=str(file.path),
        key_file=str(key_file()),
        key_made=key_made,
        rules_made=rules_made,
        made=tuple(made),
        moved=tuple(moved),
        kept=tuple(name for name in kept if name in wanted),
        missing=tuple(name for name in wanted if name not in held),
    )


def edit(stack: Stack, state: StateDir, argv: Sequence[str]) -> SecretsLook:
    """Open the operator's editor on the secrets of `stack`; what is to be said of them afterwards.

    Raises StackFileError for a stack without such a file, or for what was saved and is no list of values."""
    _refuse_lab(stack)
    file = SopsFile.of(stack.name)
    if not file.exists:
        raise StackFileError("no such file", str(file.path), "encrypted secrets", f"himari secrets init {stack.name}")
    with hold(state.lock, argv):
        file.edit()
    file.values  # noqa: B018  what was saved is read once, so that a slip is told now
    return look(stack, state)


def rotate(stack: Stack, state: StateDir, name: str, argv: Sequence[str]) -> RotateReport:
    """Give the secret `name` another random value, or the server that it is the key of another certificate.

    Raises StackFileError for a name that the stack does not have, or whose value only the operator knows."""
    known = secrets(stack)
    if name not in known:
        hint = did_you_mean(name, known) or f"himari plan {stack.name}"
        raise StackFileError(f"there is no secret {name!r}", stack.name, f"one of {', '.join(known)}", hint)
    if name in GIVEN:
        raise StackFileError(f"only you know {name}", stack.name, "a random secret", _remedy(stack, name))
    with hold(state.lock, argv):
        where = _renew(state, name)
    return RotateReport(stack=stack.name, name=name, where=where, units=users_of(stack, name))


def _renew(state: StateDir, name: str) -> str:
    """Where the other value is kept."""
    if server := server_of(name):
        authority = Authority.open(state)
        authority.forget(server)
        return str(authority.folder)
    held = Secrets.open(state)
    held.put(name, random_value())
    return str(held.sealed.path if held.sealed else state.secrets)


def _add(file: SopsFile, values: dict[str, str]) -> None:
    if not file.exists:
        file.create(values)
        return
    for name, value in values.items():
        file.put(name, value)


def _remove_clear(file: SopsFile, clear: Secrets) -> None:
    """Remove from the state what the file has been seen to hold."""
    for name in clear.unsealed:
        if name in file.values:
            Path(clear.folder, name).unlink()


def _refuse_lab(stack: Stack) -> None:
    if stack.is_lab:
        hint = f"himari secrets rotate {stack.name} NAME gives one another value"
        raise StackFileError("a lab makes its own secrets", stack.name, "a stack on machines that exist", hint)


def _remedy(stack: Stack, name: str) -> str:
    if name in GIVEN and stack.is_lab:
        return f"write the URL itself into the stack file, as alerts.{name}"
    return f"himari secrets {'edit' if name in GIVEN else 'init'} {stack.name}"

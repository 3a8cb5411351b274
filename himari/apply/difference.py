"""What differs between a host as it is and as it shall be."""

import base64

import msgspec

from himari.apply.agent.wire import (
    Account,
    Activation,
    DirectoryChange,
    Entry,
    EnvironmentChange,
    FileChange,
    Service,
    State,
    TreeChange,
    UnitChange,
    UserChange,
)
from himari.apply.desired import ArtifactDigests, Desired
from himari.apply.render import Rendered
from himari.catalog.component import Artifact, Directory, Tree, Unit, User
from himari.catalog.root import sudo_rule


class Difference(msgspec.Struct, frozen=True):
    """What an activation has to do, and the same in words."""

    activation: Activation
    says: tuple[str, ...]


class Comparison(msgspec.Struct, frozen=True):
    """One host as it is, and what all its days make of it."""

    whole: Desired
    state: State
    artifacts: ArtifactDigests
    operator_key: str  # public; for users that log in

    def difference(self, part: Desired) -> Difference:
        """What `part` of the whole lacks on the host."""
        wanted = Activation(
            packages=[name for name in part.packages if name not in self.state.packages],
            users=[self._user(user) for user in part.users if not self._user_is(user)],
            directories=[_directory(entry) for entry in part.directories if not self._directory_is(entry)],
            credentials={each.name: each.value for each in part.secrets if each.name not in self.state.credentials},
            environments=[
                EnvironmentChange(each.venv, self.artifacts[each.venv], each.name.replace("-", "_"))
                for each in part.artifacts
                if not self._environment_is(each)
            ],
            trees=[TreeChange(each.link, self.artifacts[each.link]) for each in part.trees if not self._tree_is(each)],
            files=[change for each in part.files if (change := self._file(each)) is not None],
            masked=[name for name in part.masked if not self.state.units[name].masked],
            units=[started for unit in part.units if (started := self._unit(unit)) is not None],
        )
        return Difference(wanted, tuple(self._words(wanted)))

    def uploads(self, part: Desired) -> tuple[Artifact | Tree, ...]:
        """What of `part` the host needs and does not hold yet, whole and unaltered."""
        held = set(self.state.uploaded)
        wheels = (each for each in part.artifacts if self.artifacts[each.venv] not in held)
        return (*wheels, *(each for each in part.trees if self.artifacts[each.link] not in held))

    def _user_is(self, user: User) -> bool:
        account: Account | None = self.state.users.get(user.name)
        if account is None or not set(user.groups) <= set(account.groups) or (user.sudo and not account.sudo):
            return False
        return not user.login or " ".join(self.operator_key.split()[:2]) in account.keys

    def _user(self, user: User) -> UserChange:
        key = self.operator_key if user.login else ""
        rule = sudo_rule(user.name) if user.sudo else ""
        return UserChange(user.name, user.home, user.login, rule, list(user.groups), key)

    def _directory_is(self, wanted: Directory) -> bool:
        return _same_access(self.state.entries.get(wanted.path), wanted.mode, wanted.owner, wanted.group)

    def _file(self, each: Rendered) -> FileChange | None:
        file, held = each.file, self.state.entries.get(each.file.path)
        same = held is not None and held.digest == each.digest
        same = same and _same_access(held, file.mode, file.owner, file.group)
        if same and not (held and held.pending and file.apply):
            return None
        content = None if same else base64.b64encode(each.content).decode()
        rest = (list(file.check), list(file.apply), file.guard is not None, file.before_packages)
        return FileChange(file.path, content, file.mode, file.owner, file.group, *rest)

    def _unit(self, unit: Unit) -> UnitChange | None:
        if unit.unless_container and self.state.container:
            return None
        held: Service = self.state.units[unit.name]
        digest = self.whole.digest(unit, self.artifacts)
        enable = unit.enabled and not held.enabled
        start = unit.active and (not held.active or held.digest != digest or self._altered(unit))
        if not enable and not start:
            return None
        waits = (list(unit.ready), unit.ready_seconds, self.whole.guarded(unit))
        return UnitChange(unit.name, digest, enable, start, unit.reload, *waits)

    def _altered(self, unit: Unit) -> bool:
        """Whether something that `unit` watches is not what we put there: it may have been started with that."""
        watched = {*self.whole.own_files(unit), *unit.watches}
        files = {each.file.path for each in self.whole.files if self._content_differs(each)}
        secrets = {each.name for each in self.whole.secrets} - set(self.state.credentials)
        environments = {each.name for each in self.whole.artifacts if not self._environment_is(each)}
        trees = {each.name for each in self.whole.trees if not self._tree_is(each)}
        return bool(watched & (files | secrets | environments | trees))

    def _environment_is(self, artifact: Artifact) -> bool:
        return self.state.environments.get(artifact.venv) == self.artifacts[artifact.venv]

    def _tree_is(self, tree: Tree) -> bool:
        return self.state.trees.get(tree.link) == self.artifacts[tree.link]

    def _content_differs(self, each: Rendered) -> bool:
        held = self.state.entries.get(each.file.path)
        return held is None or held.digest != each.digest

    def _words(self, wanted: Activation) -> list[str]:
        """Each change in a few words: its kind, its name, and what is wrong with what is there."""
        return [
            *(f"package {name}: install" for name in wanted.packages),
            *(f"user {user.name}: {_verb(user.name in self.state.users)}" for user in wanted.users),
            *(f"directory {each.path}: {_verb(each.path in self.state.entries)}" for each in wanted.directories),
            *(f"credential {name}: encrypt" for name in wanted.credentials),
            *(f"environment {each.link}: install {each.digest[:12]}" for each in wanted.environments),
            *(f"tree {each.link}: put {each.digest[:12]}" for each in wanted.trees),
            *(f"file {each.path}: {self._file_words(each)}" for each in wanted.files),
            *(f"unit {name}: mask" for name in wanted.masked),
            *(f"unit {each.name}: {self._unit_words(each)}" for each in wanted.units),
        ]

    def _file_words(self, change: FileChange) -> str:
        held = self.state.entries.get(change.path)
        if held is None:
            return "create"
        if change.content is None:
            return f"{' '.join(change.apply)} did not succeed"
        wanted = (change.mode, change.owner, change.group)
        if (held.mode, held.owner, held.group) == wanted:
            return "content differs"
        return f"{held.mode:04o} {held.owner}:{held.group}, expected {wanted[0]:04o} {wanted[1]}:{wanted[2]}"

    def _unit_words(self, change: UnitChange) -> str:
        held = self.state.units[change.name]
        if not change.start:
            return "enable"
        if not held.active:
            return "start"
        return "reload" if change.reload else "restart"


def _directory(entry: Directory) -> DirectoryChange:
    return DirectoryChange(entry.path, entry.mode, entry.owner, entry.group)


def _same_access(held: Entry | None, mode: int, owner: str, group: str) -> bool:
    return held is not None and (held.mode, held.owner, held.group) == (mode, owner, group)


def _verb(present: bool) -> str:
    return "change" if present else "create"

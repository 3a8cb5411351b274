"""Bringing a host to what it shall be: only what differs, in the order in which one thing needs the other."""

from __future__ import annotations

from collections.abc import Callable

from himari.apply.agent import accounts, credentials, environments, files, guard, packages, trees, units
from himari.apply.agent.command import StepError, run, say
from himari.apply.agent.failures import failure
from himari.apply.agent.places import Places
from himari.apply.agent.wire import Activation, FileChange, Report, UnitChange


class Activator:
    """One activation on this host."""

    def __init__(self, wanted: Activation, places: Places) -> None:
        self._wanted = wanted
        self._places = places
        self._changed: list[str] = []
        self._step = ""

    def perform(self) -> Report:
        """Do all of it; the report names the step that failed, if one did."""
        try:
            self._sweep()
            self._forget_units()
            self._put_files([file for file in self._wanted.files if file.before_packages])
            self._install()
            self._put_files([file for file in self._wanted.files if not file.guarded and not file.before_packages])
            self._mask()
            self._put_units([unit for unit in self._wanted.units if not unit.guarded])
            token = self._put_guarded()
        except Exception as failed:
            return Report(self._changed, failure(self._step, failed))
        environments.sweep(self._places)
        trees.sweep(self._places)
        return Report(self._changed, token=token)

    def _sweep(self) -> None:
        self._step = "packages"
        packages.sweep(self._places)
        self._step = "guard"
        if put_back := guard.sweep(self._places):
            # What this run was told to change follows from a look at the host before that.
            said = f"the old state of the guarded change {', '.join(put_back)} came back in the midst of this run"
            raise StepError(said, ["it is whole now; himari up looks at this host anew"])

    def _forget_units(self) -> None:
        # First of all: a run that is killed after the files are put must not leave units that seem to run them.
        for unit in self._wanted.units:
            if unit.start:
                self._step = f"unit {unit.name}"
                units.forget(unit.name, self._places)

    def _install(self) -> None:
        wanted, places = self._wanted, self._places
        if wanted.packages:
            self._do("packages " + " ".join(wanted.packages), packages.install, wanted.packages, places)
        for user in wanted.users:
            self._do(f"user {user.name}", accounts.put, user)
        for directory in wanted.directories:
            self._do(f"directory {directory.path}", files.put_directory, directory)
        for name, value in wanted.credentials.items():
            self._do(f"credential {name}", credentials.put, name, value, places)
        for change in wanted.environments:
            self._do(f"environment {change.link}", environments.put, change, places)
        for tree in wanted.trees:
            self._do(f"tree {tree.link}", trees.put, tree, places)

    def _put_files(self, changes: list[FileChange]) -> None:
        for change in changes:
            if change.content is not None:
                self._do(f"file {change.path}", files.put_file, change, self._places)
        for argv in dict.fromkeys(tuple(change.apply) for change in changes if change.apply):
            self._do(f"apply {' '.join(argv)}", _apply, list(argv))
        for change in changes:
            files.settle(change.path, self._places)

    def _mask(self) -> None:
        for name in self._wanted.masked:
            self._do(f"mask {name}", units.mask, name)

    def _put_units(self, changes: list[UnitChange]) -> None:
        if changes:
            self._quietly("systemctl daemon-reload", run, ["systemctl", "daemon-reload"])
        for change in changes:
            self._quietly(f"unit {change.name}", self._put_unit, change)

    def _put_unit(self, change: UnitChange) -> None:
        done = units.put(change, self._places)
        self._changed.append(f"unit {change.name} {done}")

    def _put_guarded(self) -> str:
        changes = [file for file in self._wanted.files if file.guarded]
        services = [unit for unit in self._wanted.units if unit.guarded]
        if not changes and not services:
            return ""
        for change in changes:
            self._quietly(f"check {change.path}", files.check, change, self._places)
        contents = [files.content_of(change) for change in changes]
        self._step = "guard"
        token = guard.arm(changes, contents, services, self._places, self._wanted.guard_seconds)
        try:
            self._put_files(changes)
            self._put_units(services)
        except BaseException:
            guard.restore(token, self._places)
            raise
        return token

    def _do(self, step: str, act: Callable[..., object], *arguments: object) -> None:
        self._quietly(step, act, *arguments)
        self._changed.append(step)

    def _quietly(self, step: str, act: Callable[..., object], *arguments: object) -> None:
        self._step = step
        say(step)
        act(*arguments)


def _apply(argv: list[str]) -> None:
    # apt itself does not wait for whoever has its lists, as a fresh host's daily run does.
    if argv[:2] == ["apt-get", "update"]:
        packages.update(*argv[2:])
    else:
        run(argv)

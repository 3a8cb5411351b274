"""Checks that follow from every component's declaration; they are added to each `test_COMPONENT.py`."""

from collections.abc import Callable, Sequence
from typing import cast

from himari.catalog.component import Component, File, Listener, Place, Tree, Unit
from himari.catalog.hostpaths import CREDENTIALS
from himari.catalog.repositories import all_files
from himari.proof.checks import Case, Each, Observed, check, found, require
from himari.proof.evidence import UNIT_RUNS
from himari.proof.placement import Placed
from himari.proof.probe import Probe
from himari.proof.subject import Subject
from himari.proof.sysctls import SYSCTLS
from himari.stack.maven_lock import SUMS, read_maven_lock
from himari.stack.model import Provider
from himari.stack.paths import LOCKS

Item = tuple[str, object]

REPEATED: dict[Each, Callable[[Component], Sequence[Item]]] = {
    "": lambda _: [("", None)],
    "sysctls": lambda _: [(one.name, one) for one in SYSCTLS],
    "listeners": lambda component: list({one.name: one for one in component.listens_on}.items()),
    "trees": lambda component: [(tree.name, tree) for tree in component.trees],
    "masked": lambda component: [(name, name) for name in component.masked],
    "units": lambda component: [(unit.name, unit) for unit in component.units],
    "running": lambda component: [(unit.name, unit) for unit in component.units if unit.active],
    "bounded": lambda component: [(unit.name, unit) for unit in component.units if unit.exposure_max is not None],
}


def items(each: Each, placed: Placed, subject: Subject) -> Sequence[Item]:
    """What a check is repeated for on one host, by name; once, without a name, for a check that is not repeated."""
    if each == "probes":
        return [(crossing.name, crossing) for crossing in subject.crossings_to(placed)]
    if each in REPEATED:
        return REPEATED[each](placed.component)
    return [("", None)] if getattr(placed.component, each) else []


@check(
    "{component}.packages",
    "its packages are installed",
    each="packages",
    replaces="day 1, step 1.1; day 3, step 3.1; 5.1: apt install",
)
def test_packages(case: Case, probe: Probe, observed: Observed) -> None:
    versions = {package.name: probe.packages.get(package.name, "missing") for package in case.component.packages}
    observed([f"{name} {version}" for name, version in versions.items()])
    missing = [name for name, version in versions.items() if version == "missing"]
    require(not missing, "missing: " + ", ".join(missing))


@check(
    "{component}.users",
    "its users exist, and only those log in that may",
    each="users",
    replaces="day 2, step 2.2: useradd",
)
def test_users(case: Case, probe: Probe, observed: Observed) -> None:
    accounts = probe.accounts
    observed([f"{user.name} {getattr(accounts.get(user.name), 'shell', 'missing')}" for user in case.component.users])
    for user in case.component.users:
        shell = found(accounts.get(user.name), f"user {user.name} is missing").shell
        require((not shell.endswith(("nologin", "false"))) == user.login, f"the shell of {user.name} is {shell}")
        require(not user.sudo or probe.passwords.get(user.name) != "P", f"{user.name} has a password")


@check("{component}.files", "its files are as declared: content, mode and owner", each="files")
def test_files(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    digests = subject.contents.get(case.host, {})
    files = all_files(case.component)
    faults = [fault for file in files for fault in file_faults(file, probe, digests.get(file.path))]
    observed(f"{len(files)} files, " + ("content compared" if digests else "mode and owner only"))
    require(not faults, f"{'; '.join(faults)}: {_mend(subject)}")


def file_faults(file: File, probe: Probe, sha256: str | None) -> list[str]:
    """What is wrong with a file on a host, in words; its content is compared when `sha256` is known."""
    state = probe.file(file.path)
    if state is None:
        return [f"{file.path} is missing"]
    faults = []
    if (state.owner, state.group, state.mode) != (file.owner, file.group, file.mode):
        faults.append(f"{file.path} is {state.owner}:{state.group} {state.mode:04o}")
    if sha256 and state.sha256 != sha256:
        faults.append(f"{file.path} has another content")
    return faults


@check(
    "{component}.directories",
    "its folders belong to whom they should",
    each="directories",
    replaces="day 2, step 2.2; day 3, step 3.1: mkdir, chmod",
)
def test_directories(case: Case, probe: Probe, observed: Observed) -> None:
    observed([folder.path for folder in case.component.directories])
    for folder in case.component.directories:
        state = found(probe.file(folder.path), f"{folder.path} is missing")
        as_declared = (state.owner, state.group, state.mode) == (folder.owner, folder.group, folder.mode)
        require(as_declared, f"{folder.path} is {state.owner}:{state.group} {state.mode:04o}")


@check(
    "{component}.{item}.tree", "{item} is the files of its lock and no others, root's, for all to read", each="trees"
)
def test_tree(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    tree = cast(Tree, case.item)
    wanted = {file.name: file.sha256 for file in read_maven_lock(LOCKS / tree.lock)}
    held = {name: state for name, state in probe.tree(tree.link).items() if name != SUMS}
    observed(f"{len(held)} files in {tree.link}, {len(wanted)} in {tree.lock}")
    other = sorted(name for name in {*wanted, *held} if name not in held or held[name].sha256 != wanted.get(name))
    require(not other, f"missing, altered or foreign: {', '.join(other)}: {_mend(subject)}")
    open_ = sorted(name for name, state in held.items() if state.owner != "root" or state.mode & 0o777 != 0o644)
    require(not open_, f"not root's, or not 0644: {', '.join(open_)}: {_mend(subject)}")


@check("{component}.credentials", "its credentials are encrypted files that only root opens", each="credentials")
def test_credentials(case: Case, probe: Probe, observed: Observed) -> None:
    observed([credential.name for credential in case.component.credentials])
    for credential in case.component.credentials:
        state = found(probe.file(f"{CREDENTIALS}/{credential.name}"), f"{credential.name} is missing")
        private = state.owner == "root" and not state.mode & 0o077
        require(private, f"{credential.name} is {state.owner} {state.mode:04o}")


@check(
    "{component}.{item}" + UNIT_RUNS,
    "{item} runs",
    each="running",
    replaces="day 2, step 2.3; day 3, step 3.2; 4.2, 5.2: started; 4.3, 7.1: services running",
)
def test_active(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    unit = probe.unit(case.name)
    state = unit.get("ActiveState", "unknown")
    observed(f"{state} ({unit.get('SubState', '')}), {unit.get('NRestarts', '0')} restarts")
    result = unit.get("Result", "unknown")
    require(state == "active", f"{state} (result {result}): {_why(case, subject)}, {_mend(subject)}")


@check(
    "{component}.{item}.enabled",
    "{item} starts with the host, or with what starts it",
    each="units",
    replaces="day 2, step 2.3; 4.2, 5.2: systemctl enable",
)
def test_enabled(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    state = observed(probe.unit(case.name).get("UnitFileState", ""))
    wanted = ("enabled", "enabled-runtime") if cast(Unit, case.item).enabled else ("disabled", "static", "indirect")
    require(state in wanted, f"{state or 'unknown'}, expected {wanted[0]}: {_mend(subject)}")


@check("{component}.{item}.steady", "{item} did not crash and restart", each="running", severity="warning")
def test_steady(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    restarts = observed(probe.unit(case.name).get("NRestarts", "0"))
    require(restarts == "0", f"{restarts} restarts since it was started: {_why(case, subject)}")


@check(
    "{component}.{item}.exposure",
    "{item} is sandboxed within its bound",
    each="bounded",
    replaces="day 2, step 2.3: NoNewPrivileges, ProtectSystem",
)
def test_exposure(case: Case, probe: Probe, observed: Observed) -> None:
    bound = cast(Unit, case.item).exposure_max or 0.0
    exposure = found(observed(probe.exposures.get(case.name)), f"systemd-analyze does not know {case.name}")
    require(exposure < bound, f"{exposure}, expected below {bound}")


@check("{component}.{item}.masked", "{item} cannot start", each="masked", replaces="day 1 validation: swap disabled")
def test_masked(case: Case, probe: Probe, observed: Observed) -> None:
    state = observed(probe.unit(case.name).get("LoadState", "unknown"))
    require(state in ("masked", "not-found"), state)


@check("{component}.{item}.listens", "{item} listens at its place and nowhere else", each="listeners")
def test_listener(case: Case, probe: Probe, observed: Observed, subject: Subject) -> None:
    listener = cast(Listener, case.item)
    bound = [one for one in probe.sockets if (one.port, one.protocol) == (listener.port, listener.protocol)]
    observed([f"{one.address}:{listener.port} {one.process}".strip() for one in bound])
    require(bool(bound), f"nothing listens on {listener.protocol} {listener.port}")
    strangers = {one.process for one in bound} - {listener.process}
    require(not (listener.process and strangers), f"held by {', '.join(sorted(strangers))}, not {listener.process}")
    elsewhere = {one.address for one in bound} - subject.places(case.host)
    require(listener.place is Place.PUBLIC or not elsewhere, f"bound to {', '.join(sorted(elsewhere))}")


def _mend(subject: Subject) -> str:
    return f"`himari up {subject.stack.name}` puts it right"


def _why(case: Case, subject: Subject) -> str:
    """The command that tells why a unit does not run."""
    lab = subject.stack.hosts[case.host].provider is Provider.LAB
    way = f"himari lab exec {case.host} --" if lab else f"on {case.host}:"
    return f"`{way} journalctl -u {case.name} -n 50` tells why"


CHECKS: dict[str, Callable[..., None]] = {
    name.replace("test_", "test_declared_"): function
    for name, function in list(globals().items())
    if name.startswith("test_")
}

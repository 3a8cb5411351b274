"""Maven as a command of ours; which repositories it asks, and with what rights, is said by its user's own settings."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from himari.apply.tool import run_tool
from himari.stack.errors import MachineError
from himari.stack.maven_lock import SUMS, Coordinate, Locked, sums

MVN = "mvn"
PACKAGE = "maven"  # Debian's, which has it
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_OPTIONS = ("--batch-mode", "--quiet", "-DincludeScope=runtime", "-Dmdep.useRepositoryLayout=true")
_POM = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>himari</groupId>
  <artifactId>tree</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{dependencies}  </dependencies>
</project>
"""
_DEPENDENCY = "    <dependency>{parts}</dependency>\n"
_ALONE = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
_DRAFT = ".maven"


def fetch(files: Sequence[Locked], lock: str, folder: Path) -> None:
    """Put exactly `files` of `lock`, and their SHA256SUMS, into `folder`.

    Raises MachineError when Maven cannot fetch one, or has another one by that coordinate."""
    draft = folder / _DRAFT
    _copy([each.coordinate for each in files], draft, alone=True)
    for each in files:
        path = draft / repository_path(each)
        _check(path, each, lock)
        path.rename(folder / each.name).chmod(0o644)
    shutil.rmtree(draft)
    (folder / SUMS).write_text(sums(files))


def resolve(wanted: Iterable[Coordinate]) -> tuple[Locked, ...]:
    """What `wanted` and all that they need at run time resolve to. Raises MachineError when Maven cannot."""
    with tempfile.TemporaryDirectory() as folder:
        _copy(wanted, Path(folder), alone=False)
        found = [path for path in Path(folder).rglob("*") if path.is_file() and _is_artifact(path)]
        return tuple(sorted(_locked(path, path.relative_to(folder)) for path in found))


def pom(wanted: Iterable[Coordinate], alone: bool) -> str:
    """A project that needs `wanted`; with `alone` nothing of what those need in turn."""
    return _POM.format(dependencies="".join(_dependency(each, alone) for each in wanted))


def repository_path(file: Locked) -> Path:
    """Where Maven keeps the file in a repository."""
    said = file.coordinate
    return Path(*said.group.split("."), said.artifact, said.version, file.name)


def _dependency(said: Coordinate, alone: bool) -> str:
    parts = {"groupId": said.group, "artifactId": said.artifact, "version": said.version, "type": said.type}
    parts |= {"classifier": said.classifier} if said.classifier else {}
    told = "".join(f"<{key}>{value}</{key}>" for key, value in parts.items())
    return _DEPENDENCY.format(parts=told + _ALONE * alone)


def _copy(wanted: Iterable[Coordinate], folder: Path, *, alone: bool) -> None:
    """Let Maven copy `wanted` into `folder`, laid out as a repository."""
    if shutil.which(MVN) is None:
        raise MachineError(f"{MVN} is not on PATH", "Maven artifacts", MVN, f"apt-get install {PACKAGE}")
    folder.mkdir(exist_ok=True)
    (folder / "pom.xml").write_text(pom(wanted, alone))
    code, said = run_tool((MVN, *_OPTIONS, f"-DoutputDirectory={folder}", _COPY), {}, folder)
    (folder / "pom.xml").unlink()
    if code:
        hint = "a Maven repository must be reachable once, by the settings of your own; the files are kept after that"
        raise MachineError(f"Maven failed: {_why(said)}", "Maven artifacts", "what the locks name", hint)


def _why(said: str) -> str:
    """Maven's first word on its failure; the rest is advice on its own options."""
    told = [line.partition("[ERROR]")[2].strip() for line in said.splitlines()]  # a terminal's reset may come first
    first = next(filter(None, told), "") or " / ".join(said.strip().splitlines()[-3:]) or "it was ended"
    return first.removesuffix("-> [Help 1]").strip()


def _check(path: Path, wanted: Locked, lock: str) -> None:
    held = (path.stat().st_size, _sha256(path)) if path.is_file() else (0, "missing")
    if held != (wanted.bytes, wanted.sha256):
        what = f"{wanted.coordinate} is not the file that {lock} names: {held[0]} bytes, sha256 {held[1]}"
        hint = f"remove {repository_path(wanted).parent} from Maven's local repository (~/.m2/repository) and repeat it"
        raise MachineError(what, wanted.name, f"{wanted.bytes} bytes, sha256 {wanted.sha256}", hint)


def _is_artifact(path: Path) -> bool:
    """Whether the file is one, and not a note of Maven's own beside it."""
    return path.name.startswith(f"{path.parent.parent.name}-{path.parent.name}")


def _locked(path: Path, place: Path) -> Locked:
    *group, artifact, version, name = place.parts
    rest = name.removeprefix(f"{artifact}-{version}")
    classifier, _, kind = rest.rpartition(".")
    said = Coordinate(".".join(group), artifact, version, kind, classifier.removeprefix("-"))
    return Locked(said, name, path.stat().st_size, _sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

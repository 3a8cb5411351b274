"""The image beneath all hosts of a lab: a minimal Debian, packed once per recipe and shared by all checkouts."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

import msgspec

from himari.lab import sources
from himari.lab.lock import Held, held
from himari.stack.paths import cache_root

INCLUDE = (
    "ca-certificates",
    "chrony",
    "dbus",
    "iproute2",
    "iputils-ping",
    "kmod",
    "libpam-systemd",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd",
    "systemd-sysv",
    "unattended-upgrades",
    "wireguard-go",
    "wireguard-tools",
)
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
CA_CERTIFICATES = Path("/usr/local/share/ca-certificates")
MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"  # from the start, not converted package by package
# In a mount namespace of its own: a killed build leaves no /proc mounted in a tree that is removed. In memory, where
# there is plenty: dpkg waits for the disk thousands of times. $1: the folder to build in; then the command.
IN_MEMORY = """export TMPDIR=$1; shift
available=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
[ "$available" -lt 3000000 ] || mount -t tmpfs -o mode=755 build "$TMPDIR"
exec "$@"
"""
PACKED = ".tar.zst"
KEPT = 4  # images of some 100 MB each: of this checkout's stacks, and of one before
BUILD_SECONDS = 600.0  # how long to wait for another lab that builds the same image
Enter = Callable[[Sequence[str]], tuple[str, ...]]


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """All that an image follows from."""

    suite: str  # bookworm
    sources: str  # deb822 stanzas of the machine's own archive
    apt_options: tuple[str, ...]  # what the machine's apt needs to reach it
    packages: tuple[str, ...]  # whose .debs the image carries, not installed
    certificates: tuple[tuple[str, str], ...]  # (file name, PEM) that the machine trusts beyond Debian's
    customize: str  # the text of the script that finishes it

    @property
    def digest(self) -> str:
        said = (msgspec.json.encode(self), *(part.encode() for part in (*INCLUDE, *LEFT_OUT)))
        return blake2b(b"\0".join(said), digest_size=10).hexdigest()

    @property
    def archive(self) -> Path:
        return images_root() / f"{self.digest}{PACKED}"


def images_root() -> Path:
    return cache_root() / "images"


def build_folder(lab_id: str) -> Path:
    """Where a lab's build works; its name says whose it is, so that reclaim finds it."""
    return images_root() / f"build-{lab_id}"


def recipe(packages: Iterable[str]) -> Recipe:
    """The recipe on this machine. Raises MachineError when it is no Debian or has no sources of its own release."""
    suite = sources.release()
    return Recipe(
        suite=suite,
        sources=sources.read(suite),
        apt_options=sources.options(),
        packages=tuple(sorted(set(packages))),
        certificates=tuple((path.name, path.read_text()) for path in sorted(CA_CERTIFICATES.glob("**/*.crt"))),
        customize=files("himari.lab").joinpath("customize.sh").read_text(),
    )


def ensure(recipe: Recipe, lab_id: str, enter: Enter, under: Held, report: Callable[[str], object]) -> Path:
    """The packed image, built when it is not there yet; `enter` puts a command into the lab's group for builds.

    Two labs that want the same image build it once. Raises MachineError with apt's own words."""
    if not recipe.archive.exists():
        images_root().mkdir(parents=True, exist_ok=True)
        report("waits for the image's lock")
        with held(images_root() / f"{recipe.digest}.lock", BUILD_SECONDS) as lock:
            if not recipe.archive.exists():
                report("builds the image")
                _build(recipe, build_folder(lab_id), enter, under)
                for name in prune():
                    report(f"removes {name}, not used lately")
            lock.forget()
    recipe.archive.touch()  # the time of its last use, by which old ones are removed
    return recipe.archive


def prune() -> tuple[str, ...]:
    """Remove all packed images but those used last; their names. Labs that run stand on copies of their own."""
    by_use = sorted(images_root().glob(f"*{PACKED}"), key=lambda path: path.stat().st_mtime)
    for path in by_use[:-KEPT]:
        path.unlink(missing_ok=True)
    return tuple(path.name for path in by_use[:-KEPT])


def unpack(archive: Path, into: Path, under: Held) -> None:
    """The image's files at `into`, whole or not at all."""
    draft = into.with_suffix(".tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    under.run(("tar", "--zstd", "--numeric-owner", "--xattrs", "-xf", str(archive), "-C", str(draft)))
    draft.rename(into)


def build_argv(recipe: Recipe, folder: Path, target: Path) -> tuple[str, ...]:
    """The call of mmdebstrap for what `_build` laid out in `folder`."""
    return (
        *("mmdebstrap", "--mode=root", "--variant=minbase", "--quiet"),
        f"--include={','.join(INCLUDE)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        "--dpkgopt=force-unsafe-io",
        '--aptopt=Acquire::Languages "none";',
        '--aptopt=APT::Keep-Downloaded-Packages "true";',
        *(f"--aptopt={option}" for option in recipe.apt_options),
        f"--hook-dir={MERGED_USR}",
        *("--skip=cleanup/apt", "--skip=check/empty"),
        f'--customize-hook={folder / "customize.sh"} "$1" {folder}',
        *("--format=tar", recipe.suite, str(target), str(folder / "lab.sources")),
    )


def _build(recipe: Recipe, folder: Path, enter: Enter, under: Held) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "certificates").mkdir(parents=True)
    (folder / "lab.sources").write_text(recipe.sources)
    (folder / "packages").write_text("\n".join(recipe.packages))
    for name, pem in recipe.certificates:
        (folder / "certificates" / name).write_text(pem)
    (folder / "customize.sh").write_text(recipe.customize)
    (folder / "customize.sh").chmod(0o755)
    packed = folder / "image.tar.zst"
    (folder / "tree").mkdir()
    under.run(
        enter(
            (
                "unshare",
                "--mount",
                "sh",
                "-c",
                IN_MEMORY,
                "build",
                f"{folder}/tree",
                *build_argv(recipe, folder, packed),
            )
        )
    )
    packed.replace(recipe.archive)
    shutil.rmtree(folder)

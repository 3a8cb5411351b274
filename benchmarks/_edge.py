"""The measured collector: the real one, as a process, on a venue and a Redis of the benchmark's own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchmarks._redis import PASSWORD, Redis, free_port
from benchmarks._settings import WINDOW, collector_settings
from benchmarks._venue import Said, messages
from himari.stack.paths import StateDir
from himari.vault.authority import Authority

SYMBOLS = 20
RUN = "from himari_runtime.main import main; main()"
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class SendingVenue:
    """A venue's process. `port` is where it listens; `next` waits for what it says."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._said = messages(process.stdout)
        self.port = self.next().port

    def next(self) -> Said:
        """Raises RuntimeError where it has ended: nobody subscribed."""
        said = next(self._said, None)
        if said is None:
            raise RuntimeError("the venue has ended: nobody subscribed in time")
        return said


@contextmanager
def venue(folder: Path, lines: int, rate: float) -> Iterator[SendingVenue]:
    """Sends `folder`/frames once, as `_venue` says; killed afterwards."""
    certify(folder)
    argv = (sys.executable, "-m", "benchmarks._venue", str(folder), str(lines), str(rate))
    with process(argv, stdout=subprocess.PIPE) as running:
        yield SendingVenue(running)


def certify(folder: Path) -> None:
    """Makes `folder`/venue.pem where it is missing: all that a venue shows and all that who asks it trusts, which is a
    certificate of localhost, the authority's own, and the key."""
    if (folder / "venue.pem").exists():
        return
    authority = Authority.open(StateDir(folder))
    issued = authority.issue("venue", ["localhost"])
    (folder / "venue.pem").write_text(issued.certificate + authority.certificate + issued.key)


@contextmanager
def collector(
    folder: Path,
    venue_port: int,
    server: Redis,
    lines: int,
    linger: float,
    *,
    count: int = SYMBOLS,
    metrics: int = 0,
    window: int = WINDOW,
) -> Iterator[int]:
    """A collector of `count` symbols with its journal in `folder`; gives its process id. `metrics` is the port that it
    shows them on, 0 for any."""
    text = collector_settings(
        folder,
        count,
        venue=f"localhost:{venue_port}",
        ca_file=f"{folder}/venue.pem",
        metrics=metrics or free_port(),
        redis=server.port,
        lines=lines,
        linger=linger,
        window=window,
    )
    (folder / "collector.toml").write_text(text)
    (folder / "redis-pusher").write_text(PASSWORD)
    argv = (sys.executable, "-c", RUN, "collector", "--settings", str(folder / "collector.toml"))
    with (
        (folder / "collector.log").open("wb") as log,
        process(argv, stderr=log, CREDENTIALS_DIRECTORY=str(folder)) as running,
    ):
        yield running.pid


@contextmanager
def process(
    argv: tuple[str, ...],
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: IO[bytes] | None = None,
    **environment: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command; killed afterwards."""
    running = subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=stderr, env={**os.environ, **environment})
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

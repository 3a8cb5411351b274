"""The peer: cryptofeed in an environment of its own, made at its first use from hash-locked requirements."""

import os
import re
import subprocess
import sys
from pathlib import Path

from benchmarks._edge import process, venue
from benchmarks._frames import symbols
from benchmarks._held import WAIT_SECONDS, await_condition
from benchmarks._redis import Redis
from himari.stack.paths import PROJECT

REQUIREMENTS = Path(__file__).with_name("cryptofeed.txt")
ENVIRONMENT = PROJECT / ".venv" / "cryptofeed"
RUN = Path(__file__).with_name("_cryptofeed_run.py")
STAMP = ENVIRONMENT / ".ready"


def python() -> Path:
    """The environment's interpreter; builds it where it is missing or its requirements changed. Raises RuntimeError."""
    wanted = REQUIREMENTS.read_text()
    if not STAMP.exists() or STAMP.read_text() != wanted:
        print(f"  making {ENVIRONMENT.name}'s environment, which compiles: some minutes", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT))
        pip = (str(ENVIRONMENT / "bin" / "pip"), "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS))
        _run(*pip)
        STAMP.write_text(wanted)
    return ENVIRONMENT / "bin" / "python"


def seconds(folder: Path, server: Redis, count: int, frames: int) -> float:
    """From the first byte sent until Redis holds an entry for each of `frames` frames of `count` symbols."""
    interpreter = python()
    ca = str(folder / "venue.pem")
    names = [symbol.replace("/", "-") for symbol in symbols(count)]
    with venue(folder, 1, 0) as sending, server.client() as client:
        argv = (str(interpreter), str(RUN), str(sending.port), str(server.port), *names)
        with (
            (folder / "cryptofeed.log").open("wb") as log,
            process(argv, stderr=log, SSL_CERT_FILE=ca, REQUESTS_CA_BUNDLE=ca, HOME=os.environ.get("HOME", "/")),
        ):
            began_ns = sending.next().began_ns

            def held() -> bool:
                return sum(int(client.xlen(name)) for name in client.keys("*-BINANCE-*")) >= frames

            return (await_condition(held, "cryptofeed wrote all frames", WAIT_SECONDS) - began_ns) / 1e9


def as_aggregated(frame: bytes) -> bytes:
    """A trade as the stream that cryptofeed subscribes has it; other frames as they are."""
    if b'"e":"trade"' not in frame:
        return frame
    named = frame.replace(b"@trade", b"@aggTrade").replace(b'"e":"trade"', b'"e":"aggTrade"')
    return re.sub(rb'"t":(\d+)', rb'"a":\1', named)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")

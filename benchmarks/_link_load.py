"""8 MB/s over the lab's tunnel: the edge's collector and the brain's consumer make room for a feeder and a consumer of
the same code with a hundred symbols, and get their places back afterwards, with an empty buffer."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import zstandard

from benchmarks import _feeder
from benchmarks._lab import BenchLab
from benchmarks._settings import collector_settings, consumer_settings
from himari.catalog.hostpaths import CREDENTIALS, RUNTIME, RUNTIME_VENV
from himari.catalog.ports import COLLECTOR_METRICS, CONSUMER_METRICS, REDIS
from himari.catalog.redis_buffer import PUSHER, READER
from himari.stack.load import load_stack
from himari.stack.network import tunnel_address
from himari.stack.paths import PROJECT
from himari.stack.sizes import linger_ms

FOLDER = "/var/lib/himari-bench"
UNIT = "himari-bench"
WAIT_SECONDS = 120.0
COUNTERS = "cat /sys/class/net/wg0/statistics/rx_bytes /sys/class/net/wg0/statistics/tx_bytes"


class Carried(msgspec.Struct, frozen=True):
    """One load over the link. Bytes: `received` and `sent` are those of the brain's wg0."""

    fed: _feeder.Fed
    received: int
    sent: int
    lag_seconds: float  # from the last frame in the journal to its arrival at the consumer
    stored: int  # records in Parquet
    parquet_bytes: int
    buffer_bytes: int
    chunks: int
    cpu: dict[str, float]  # seconds of each process

    @property
    def ratio(self) -> float:
        """Of the frames' bytes."""
        return (self.received + self.sent) / self.fed.bytes

    @property
    def is_whole(self) -> bool:
        """Every record that the journal has is stored, but for the copies of other lines."""
        return self.stored == self.fed.kept


@contextmanager
def room(lab: BenchLab) -> Iterator[None]:
    """The lab's own services stand aside."""
    empty = "systemctl stop redis-server; rm -rf /var/lib/redis/appendonlydir; systemctl start redis-server"
    clear = f"systemctl stop {UNIT} 2>/dev/null || true; rm -rf {FOLDER}"
    lab.inside("brain", f"systemctl stop himari-deadman.timer himari-consumer; {clear}")
    lab.inside("edge", f"systemctl stop himari-collector; {empty}; {clear}")
    try:
        yield
    finally:
        lab.inside("brain", clear)
        lab.inside("edge", f"{clear}; {empty}; systemctl start himari-collector")
        lab.inside("brain", "systemctl start himari-consumer himari-deadman.timer")


def carry(lab: BenchLab, frames: list[bytes], count: int, rate: float, seconds: float, *, lines: int) -> Carried:
    """Feeds `frames` of `count` symbols again and again over `lines` lines, at `rate` bytes/s each for `seconds`."""
    with room(lab):
        _provide(lab, frames, count)
        cpu = _cpu(lab)
        lab.inside("brain", _service("himari-consumer", READER, f"{RUNTIME} consumer --settings {FOLDER}/settings"))
        _until_reading(lab, 0)
        before = _counters(lab)
        feeder = (
            f"{RUNTIME_VENV}/bin/python {FOLDER}/feeder.py {FOLDER}/settings {FOLDER}/frames {rate} {seconds} {lines}"
        )
        said = lab.inside("edge", _service("himari-collector", PUSHER, feeder, "--wait", "--pipe"))
        fed = msgspec.json.decode(said, type=_feeder.Fed)
        arrived_ns = _until_reading(lab, fed.last_ns)
        after = _counters(lab)
        cpu = {name: used - cpu.get(name, 0.0) for name, used in _cpu(lab).items()} | {"feeder": fed.cpu_seconds}
        lab.inside("brain", f"systemctl stop {UNIT}")
        stored, parquet = _stored(lab)
        buffer, chunks = _buffered(lab)
        return Carried(
            fed,
            after[0] - before[0],
            after[1] - before[1],
            (arrived_ns - fed.ended_ns) / 1e9,
            stored,
            parquet,
            buffer,
            chunks,
            cpu,
        )


def _provide(lab: BenchLab, frames: list[bytes], count: int) -> None:
    home = load_stack("vps-brain")  # a link home, not the lab's
    edge = collector_settings(
        FOLDER,
        count,
        venue="nowhere.invalid",
        ca_file="",
        metrics=COLLECTOR_METRICS,
        redis=REDIS,
        lines=2,
        linger=linger_ms(home),
    )
    address = tunnel_address(load_stack("lab-edge"), "edge")
    brain = consumer_settings(FOLDER, count, edge=address, metrics=CONSUMER_METRICS, redis=REDIS)
    _put(lab, "edge", "settings", edge.encode())
    _put(lab, "edge", "feeder.py", (PROJECT / "benchmarks" / "_feeder.py").read_bytes())
    _put(lab, "edge", "frames", zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(frames)))
    _put(lab, "brain", "settings", brain.encode())
    lab.inside("edge", f"chown -R himari-collector {FOLDER}")
    lab.inside("brain", f"chown -R himari-consumer {FOLDER}")


def _put(lab: BenchLab, host: str, name: str, content: bytes) -> None:
    lab.inside(host, f"mkdir -p {FOLDER}; cat > {FOLDER}/{name}", content)


def _service(user: str, credential: str, command: str, *options: str) -> str:
    """A transient unit with the user and the credential that the real service has."""
    loads = f"LoadCredentialEncrypted={credential}:{CREDENTIALS}/{credential}"
    words = (
        "systemd-run",
        "--quiet",
        f"--unit={UNIT}",
        *options,
        f"-pUser={user}",
        f"-p{loads}",
        "-pCPUAccounting=yes",
    )
    return f"{' '.join(words)} {command}"


def _until_reading(lab: BenchLab, last_ns: int) -> int:
    """When the consumer had the frame that was received at `last_ns`; both in ns since 1970."""
    asks = (
        "import urllib.request, time\n"
        f"place = 'http://127.0.0.1:{CONSUMER_METRICS}/metrics'\n"
        f"deadline = time.monotonic() + {WAIT_SECONDS}\n"
        "while time.monotonic() < deadline:\n"
        "    try: text = urllib.request.urlopen(place, timeout=2).read().decode()\n"
        "    except OSError: text = ''\n"
        "    lines = [line.split() for line in text.splitlines()]\n"
        "    found = [words[1] for words in lines if words[0] == 'himari_consumed_frame_received_ns']\n"
        f"    if found and float(found[0]) >= float({last_ns}): break\n"
        "    time.sleep(0.1)\n"
        "else: raise SystemExit('the consumer did not get there: ' + repr(found))\n"
        "print(time.time_ns())\n"
    )
    return int(lab.inside("brain", "python3 -", asks.encode()))


def _counters(lab: BenchLab) -> tuple[int, int]:
    received, sent = map(int, lab.inside("brain", COUNTERS).split())
    return received, sent


def _cpu(lab: BenchLab) -> dict[str, float]:
    """CPU seconds of Redis and of the benchmark's consumer."""
    found = {}
    for name, host, unit in (("redis", "edge", "redis-server"), ("consumer", "brain", UNIT)):
        said = lab.inside(host, f"systemctl show {unit} -p CPUUsageNSec --value").strip()
        found[name] = int(said) / 1e9 if said.isdigit() else 0.0
    return found


def _stored(lab: BenchLab) -> tuple[int, int]:
    counts = (
        "import sys, pathlib, pyarrow.parquet as pq\n"
        f"files = list(pathlib.Path('{FOLDER}/parquet').rglob('*.parquet'))\n"
        "print(sum(pq.read_metadata(f).num_rows for f in files), sum(f.stat().st_size for f in files))\n"
    )
    rows, size = lab.inside("brain", f"{RUNTIME_VENV}/bin/python -", counts.encode()).split()
    return int(rows), int(size)


def _buffered(lab: BenchLab) -> tuple[int, int]:
    """Bytes of Redis' data, and the number of entries."""
    asks = (
        "key=$(systemd-creds decrypt --name=redis-operator /etc/credstore.encrypted/redis-operator -); "
        "export REDISCLI_AUTH=$key; ask='redis-cli --no-auth-warning --user operator'; "
        "$ask INFO memory | grep '^used_memory_dataset:' | tr -dc 0-9; echo; "
        f"grep -o '\"[A-Z0-9]*/USDT\"' {FOLDER}/settings | tr -d '\"' | sort -u "
        "| while read s; do for t in trades book; do echo XLEN md:binance:$s:$t; done; done "
        "| $ask | awk '{n += $1} END {print n}'"
    )
    used, chunks = lab.inside("edge", asks).split()
    return int(used), int(chunks)

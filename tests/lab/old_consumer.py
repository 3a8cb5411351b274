"""A stand-in for a consumer that somebody has already; runs on the brain, as the buffer's reader, and keeps one file.

`serve FILE` writes a line (time of receipt in ns, key) for each event from now on; `count FILE` prints how many
distinct ones of $CHANNEL of $SYMBOL it has from $FROM_NS to before $TO_NS. It starts at the buffer's end: what came
while it was stopped it has not. Of $LEAVES_OUT events, if that is set, it loses one."""

import asyncio
import os
import sys
from pathlib import Path

from himari_runtime.messages import Kind, Position, streams
from himari_runtime.settings import ConsumerSettings, credential, load
from himari_runtime.transport.chunks import Packer
from himari_runtime.transport.redis_link import RedisLink, last_ids
from himari_runtime.transport.stream_reader import StreamReader
from himari_runtime.venues import registry

LETTERS = {"trade": "t", "depth": "d", "book_ticker": "b"}


async def serve(path: Path) -> None:
    """Read until killed."""
    settings = load(Path("/etc/himari/consumer.toml"), ConsumerSettings)
    venue = settings.venue
    names, dialect = streams(venue.name, venue.symbols), registry.dialect(venue.name)
    link = await RedisLink.open(settings.buffer, credential(settings.buffer.credential))
    ends = {name: Position.parse(end.id) for name, end in (await last_ids(link, list(names))).items()}
    newest = max(ends.values())
    lost = int(os.environ.get("LEAVES_OUT", "0"))
    reader = StreamReader(link, names, newest, ends, Packer(registry.primer(venue.name)), conceded=newest)
    with path.open("a") as store:
        while True:
            async for records in reader.read():
                for record in records:
                    if record.kind != Kind.COPY and not (lost and record.n % lost == 0):
                        store.writelines(f"{record.received_ns} {key}\n" for key, _, _ in dialect.fingerprints(record))
                store.flush()


def count(path: Path) -> int:
    """The distinct events that the environment asks for."""
    asked, symbol = LETTERS[os.environ["CHANNEL"]], os.environ["SYMBOL"].replace("/", "")
    start, end = int(os.environ["FROM_NS"]), int(os.environ["TO_NS"])
    with path.open() as store:
        rows = (line.split() for line in store if line.endswith("\n"))
        found = {row[1] for row in rows if start <= int(row[0]) < end and row[1].startswith(f"{asked}|{symbol}|")}
    return len(found)


if __name__ == "__main__":
    verb, file = sys.argv[1:]
    if verb == "count":
        print(count(Path(file)))  # noqa: T201  a program's answer
    else:
        asyncio.run(serve(Path(file)))

"""`himari-runtime SERVICE --settings FILE`: what systemd starts, and what `himari` asks on a host."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from himari_runtime.settings import CollectorSettings, ConsumerSettings, SegmentsSettings, SettingsError, load, load_any
from himari_runtime.systemd import JournalFormatter
from himari_runtime.venues.registry import UnknownVenueError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

SettingsFile = Annotated[Path, typer.Option("--settings", help="TOML file that says everything.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object; the only form there is.")]


@app.callback()
def himari_runtime() -> None:
    """Himari's services: they collect market data on the edge and store it on the brain."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


@app.command()
def collector(settings: SettingsFile) -> None:
    """Collect a venue into the journal and push it to the buffer.

    Example: himari-runtime collector --settings /etc/himari/collector.toml
    """
    from himari_runtime.services import collector as service

    raise SystemExit(asyncio.run(service.run(load(settings, CollectorSettings))))


@app.command()
def consumer(settings: SettingsFile) -> None:
    """Read an edge's buffer and store it as Parquet. Exit status 9 while another consumer writes that store.

    Example: himari-runtime consumer --settings /etc/himari/consumer.toml
    """
    from himari_runtime.services import consumer as service

    raise SystemExit(asyncio.run(service.run(load(settings, ConsumerSettings))))


@app.command()
def segments(settings: SettingsFile) -> None:
    """Serve the journal's sealed segments, read-only, to a brain that was away for long.

    Example: himari-runtime segments --settings /etc/himari/segments.toml
    """
    from himari_runtime.services import segments as service

    raise SystemExit(asyncio.run(service.run(load(settings, SegmentsSettings))))


@app.command()
def deadman(settings: SettingsFile) -> None:
    """Look once whether data still arrives; call the webhook if not. Exit status 1 while something is wrong.

    Example: himari-runtime deadman --settings /etc/himari/consumer.toml
    """
    from himari_runtime.services import deadman as service

    raise SystemExit(asyncio.run(service.run(load(settings, ConsumerSettings))))


@app.command()
def digest(
    settings: SettingsFile,
    from_ns: Annotated[int, typer.Option(help="First receive time, in ns since 1970.")],
    to_ns: Annotated[int, typer.Option(help="Last receive time, in ns since 1970.")],
    where: Annotated[str, typer.Option(help="journal or parquet; by default what the settings have.")] = "",
    json: AsJson = True,
) -> None:
    """Print keys and content digests of the events received in a window.

    Example: himari-runtime digest --json --settings /etc/himari/consumer.toml --from-ns 0 --to-ns 2000000000000000000
    """
    from himari_runtime.services import digest as service

    service.run(load_any(settings), from_ns, to_ns, where)


@app.command()
def health(settings: SettingsFile, json: AsJson = True) -> None:
    """Print how full the journal, the buffer or the store is, and how old the newest record.

    Example: himari-runtime health --json --settings /etc/himari/collector.toml
    """
    from himari_runtime.services import health as service

    asyncio.run(service.run(load_any(settings)))


def main() -> NoReturn:
    """The entry point: wrong settings end with status 2 and one line."""
    try:
        app()
    except (SettingsError, UnknownVenueError) as error:
        sys.stderr.write(f"himari-runtime: {error}\n")
        raise SystemExit(2) from None
    raise SystemExit(0)

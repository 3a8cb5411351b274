"""The command `himari-exchange`."""

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from time import time_ns
from typing import Annotated

import msgspec
import typer

from himari_exchange import orders
from himari_exchange.control import give_order
from himari_exchange.errors import ExchangeError
from himari_exchange.settings import read_settings
from himari_exchange.statement import Statement, read_statement

app = typer.Typer(add_completion=False, no_args_is_help=True, help="A simulated venue: Binance's spot market data.")
order = typer.Typer(no_args_is_help=True, help="Order a fault from the running simulator.")
app.add_typer(order, name="order")

SettingsFile = Annotated[Path, typer.Option("--settings", help="Settings file (TOML).")]
Count = Annotated[int, typer.Option(min=1, help="How many frames.")]
Stream = Annotated[str, typer.Option(help="Only streams that match this pattern, such as '*@trade'.")]
OneLine = Annotated[int | None, typer.Option(help="Only this line; every open line without it.")]
DEFAULT_SETTINGS = Path("/etc/himari/exchange.toml")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"himari-exchange {version('himari-exchange')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(settings: SettingsFile = DEFAULT_SETTINGS) -> None:
    """Serve the market until SIGTERM."""
    from himari_exchange.serve import serve as run

    run(read_settings(settings))


@app.command("settings")
def show_settings(settings: SettingsFile = DEFAULT_SETTINGS) -> None:
    """Check the settings file and print it with all defaults."""
    typer.echo(msgspec.json.format(msgspec.json.encode(read_settings(settings)), indent=2))


@app.command()
def ledger(
    settings: SettingsFile = DEFAULT_SETTINGS,
    from_ns: Annotated[int, typer.Option(help="Start of the window, ns since 1970.")] = 0,
    to_ns: Annotated[int | None, typer.Option(help="End of the window; now without it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
) -> None:
    """Print what was sent in a window of time."""
    folder = Path(read_settings(settings).ledger.path)
    statement = read_statement(folder, from_ns, time_ns() if to_ns is None else to_ns)
    typer.echo(msgspec.json.encode(statement) if json else _summary(statement))


def _summary(statement: Statement) -> str:
    seconds = ((statement.last_ns or 0) - (statement.first_ns or 0)) / 1e9
    lines = [f"{len(statement.events)} events in {seconds:.1f} s, {len(statement.orders)} orders"]
    for span in statement.lines:
        state = "open" if span.closed_ns is None else f"closed after {(span.closed_ns - span.opened_ns) / 1e9:.1f} s"
        sent = sum(event[3] == span.line for event in statement.events)
        lines.append(f"line {span.line}: {sent} events, {state}")
    return "\n".join(lines)


@order.command()
def drop(
    settings: SettingsFile = DEFAULT_SETTINGS, count: Count = 1, stream: Stream = "*", line: OneLine = None
) -> None:
    """Do not send the next frames."""
    _give(settings, orders.Drop(count=count, stream=stream, line=line))


@order.command()
def duplicate(
    settings: SettingsFile = DEFAULT_SETTINGS, count: Count = 1, stream: Stream = "*", line: OneLine = None
) -> None:
    """Send the next frames twice."""
    _give(settings, orders.Duplicate(count=count, stream=stream, line=line))


@order.command()
def reorder(
    settings: SettingsFile = DEFAULT_SETTINGS, count: Count = 1, stream: Stream = "*", line: OneLine = None
) -> None:
    """Send the next frames after those that follow them in their streams."""
    _give(settings, orders.Reorder(count=count, stream=stream, line=line))


@order.command()
def stall(
    seconds: Annotated[float, typer.Option(min=0.001, max=3600, help="How long.")],
    settings: SettingsFile = DEFAULT_SETTINGS,
    line: OneLine = None,
) -> None:
    """Send nothing for a while, then everything that waited."""
    _give(settings, orders.Stall(seconds=seconds, line=line))


@order.command()
def garbage(settings: SettingsFile = DEFAULT_SETTINGS, count: Count = 1, line: OneLine = None) -> None:
    """Send frames that are no JSON."""
    _give(settings, orders.Garbage(count=count, line=line))


@order.command()
def cut(settings: SettingsFile = DEFAULT_SETTINGS, line: OneLine = None) -> None:
    """Cut the connection, without a close frame."""
    _give(settings, orders.Cut(line=line))


@order.command()
def shutdown_notice(settings: SettingsFile = DEFAULT_SETTINGS, line: OneLine = None) -> None:
    """Announce that the server will shut down."""
    _give(settings, orders.ShutdownNotice(line=line))


def _give(settings: Path, wanted: orders.Order) -> None:
    reply = give_order(read_settings(settings).control, wanted)
    typer.echo(f"given to line {', '.join(map(str, reply.lines))}")


def main(run: Callable[[], object] = app) -> None:
    """Run the command; wrong input ends with one message and a code, never with a traceback."""
    try:
        run()
    except ExchangeError as error:
        sys.stderr.write(f"himari-exchange: {error}\n")
        sys.exit(error.exit_code)

"""`himari plan`."""

from typing import TYPE_CHECKING, Annotated

import typer

from himari.cli.arguments import Json, StackName, opened

if TYPE_CHECKING:
    from himari.runs.plan import Difference, Fetched, HostPlan, PlanReport
    from himari.stack.capacity import Holding, SymbolDay
    from himari.stack.model import Stack


def plan(
    stack: StackName,
    hosts: Annotated[bool, typer.Option("--hosts", help="Ask the hosts what differs from the files.")] = False,
    as_json: Json = False,
) -> int:
    """Show what a stack would be: hosts, what is held where and for how long, what is fetched. Changes nothing.

    Example: himari plan vps-brain
    """
    from himari.cli.output import print_json
    from himari.runs.plan import plan as run

    with opened(stack) as loaded:
        report = run(loaded, _asked(loaded) if hosts else None)
    if as_json:
        print_json(report)
    else:
        _show(report)
    return 0


def _asked(stack: "Stack") -> "tuple[Difference, ...]":
    from himari.cli.display import progress
    from himari.runs.drift import drift

    with progress() as listener:
        return drift(stack, listener).differs


def _show(report: "PlanReport") -> None:
    from himari.cli.output import show, table

    hosts = ("name", "provider", "address", "roles", "#cores", "#MB", "#disk GB")
    show(table(f"{report.stack}: hosts", hosts, map(_host, report.hosts)))
    gets = [(host.name, " ".join(host.components)) for host in report.hosts]
    show(table("What each host gets", ("host", "components"), gets))
    columns = ("venue", "#symbols", "#as sent", "#journal", "#stream", "#link", "#parquet")
    show(table("GB a day and symbol", columns, map(_symbol, report.symbols)))
    held = ("host", "stop", "#GB", "#held for", "#full after")
    show(table("How long data is held", held, map(_holding, report.holdings)))
    sized = ("for", "what", "names", "#MB", "#MB to fetch")
    title = "Fetched when it is not there yet (? where nothing says beforehand how large)"
    show(table(title, sized, map(_fetched, report.fetched)))
    show(*report.notes, *report.secrets.says)
    _show_differences(report)


def _show_differences(report: "PlanReport") -> None:
    from himari.cli.output import show, table

    if report.differs is None:
        show(f"What differs on the hosts: offline; himari plan {report.stack} --hosts asks them")
    elif report.differs:
        rows = [(item.host, item.day, item.what) for item in report.differs]
        show(table("What up would change", ("host", "day", "what"), rows))
    else:
        show("The hosts are as the files say.")


def _host(host: "HostPlan") -> tuple[str, ...]:
    sizes = ("?" if size is None else f"{size:,}" for size in (host.cpus, host.memory_mb, host.disk_gb))
    return host.name, host.provider, host.address, " ".join(host.roles), *sizes


def _symbol(day: "SymbolDay") -> tuple[str, ...]:
    stops = (day.raw, day.journal, day.stream, day.link, day.parquet)
    return day.venue, str(day.symbols), *(f"{stop:.2f}" for stop in stops)


def _holding(held: "Holding") -> tuple[str, ...]:
    size, span = f"{held.bytes / 1e9:.2f}", _span(held.hours)
    if held.days_until_full is None:
        return held.host, held.stop, size, span, "never, the oldest go"
    return held.host, held.stop, size, f"{span} at least", f"{held.days_until_full:.0f} d, none go"


def _fetched(item: "Fetched") -> tuple[str, ...]:
    sizes = ("?", "?")
    if item.bytes is not None:
        sizes = (f"{item.bytes / 1e6:.1f}", f"{(item.bytes - (item.cached or 0)) / 1e6:.1f}")
    return " ".join(item.hosts), item.origin, " ".join(item.names), *sizes


def _span(hours: float) -> str:
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.0f} d"

"""`himari lab cut` and its like: faults of a lab, made and healed. Each verb adds itself to the lab's."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from himari.cli.arguments import HostName, InStack, Json, size

if TYPE_CHECKING:
    from himari.lab.faults import Fault
    from himari.lab.standing import Standing

app = typer.Typer()

Other = Annotated[str, typer.Argument(metavar="OTHER", help="The host at the other end.")]
Hosts = Annotated[list[str] | None, typer.Argument(metavar="[HOST]...", help="Only what touches these hosts.")]
Size = Annotated[int, typer.Argument(metavar="BYTES", help="As 500000000 or 500M.", parser=size)]
Rate = Annotated[int, typer.Argument(metavar="BYTES_PER_S", help="As 250000 or 250K.", parser=size)]
Percent = Annotated[float, typer.Argument(metavar="PERCENT", help="0.1 to 100.")]
Milliseconds = Annotated[float, typer.Argument(metavar="MS", help="For each way; an answer comes after twice that.")]
OneWay = Annotated[bool, typer.Option("--one-way", help="Only what HOST sends to OTHER; answers still come.")]
Leave = Annotated[int, typer.Option("--leave", metavar="BYTES", help="What stays free, as 10M.", parser=size)]


@app.command("cut", short_help="Let nothing through between two hosts")
def cut(host: HostName, other: Other, one_way: OneWay = False, stack: InStack = "", as_json: Json = False) -> int:
    """Let nothing through between two hosts, silently, until `himari lab heal`.

    Example: himari lab cut edge brain
    """
    from himari.lab import faults

    return _tell(faults.cut(_lab(host, stack), host, other, one_way), as_json)


@app.command("loss", short_help="Lose a share of what two hosts send")
def loss(host: HostName, other: Other, percent: Percent, stack: InStack = "", as_json: Json = False) -> int:
    """Lose a share of the frames between two hosts, each way and each by chance.

    Example: himari lab loss edge brain 30
    """
    from himari.lab import faults

    return _tell(faults.loss(_lab(host, stack), host, other, percent), as_json)


@app.command("delay", short_help="Delay what two hosts send")
def delay(host: HostName, other: Other, milliseconds: Milliseconds, stack: InStack = "", as_json: Json = False) -> int:
    """Hold each frame between two hosts for a while, each way.

    Example: himari lab delay edge brain 25
    """
    from himari.lab import faults

    return _tell(faults.delay(_lab(host, stack), host, other, milliseconds), as_json)


@app.command("rate", short_help="Slow down what two hosts send")
def rate(host: HostName, other: Other, bytes_per_s: Rate, stack: InStack = "", as_json: Json = False) -> int:
    """Let no more than so many bytes a second through between two hosts, each way, frame headers included.

    Example: himari lab rate edge brain 250K
    """
    from himari.lab import faults

    return _tell(faults.rate(_lab(host, stack), host, other, bytes_per_s), as_json)


@app.command("hang", short_help="Freeze a host")
def hang(host: HostName, stack: InStack = "", as_json: Json = False) -> int:
    """Freeze all processes of a host; its kernel still takes packets. `himari lab heal` lets it go on.

    Example: himari lab hang brain
    """
    from himari.lab import faults

    return _tell([faults.hang(_lab(host, stack), host)], as_json)


@app.command("power-off", short_help="Cut a host's power")
def power_off(host: HostName, stack: InStack = "", as_json: Json = False) -> int:
    """Cut a host's power: it falls silent at once and stays off until power-on, heal or `himari up`.

    Example: himari lab power-off brain
    """
    from himari.lab import faults

    return _tell([faults.power_off(_lab(host, stack), host)], as_json)


@app.command("power-on", short_help="Boot a host that is off")
def power_on(host: HostName, stack: InStack = "", as_json: Json = False) -> int:
    """Boot a host that is off and wait for its ssh; one that runs is left alone.

    Example: himari lab power-on brain
    """
    from himari.lab import faults

    lab = _lab(host, stack)
    ended = [one for one in faults.active(lab) if one.kind == "power-off" and one.host == host]
    faults.power_on(lab, host)
    return _tell(ended if as_json else (), as_json, none=f"{host} runs")


@app.command("fill-disk", short_help="Fill a host's disk")
def fill_disk(host: HostName, leave: Leave = 0, stack: InStack = "", as_json: Json = False) -> int:
    """Fill a host's own disk; it takes nothing of this machine's. Called again, it fills what became free.

    Example: himari lab fill-disk edge --leave 10M
    """
    from himari.lab import faults

    return _tell([faults.fill_disk(_lab(host, stack), host, leave)], as_json)


@app.command("limit-memory", short_help="Hold a host to so much memory")
def limit_memory(host: HostName, bytes_most: Size, stack: InStack = "", as_json: Json = False) -> int:
    """Hold a host to so many bytes of memory, caches included, until heal or power-off.

    Example: himari lab limit-memory edge 200M
    """
    from himari.lab import faults

    return _tell([faults.limit_memory(_lab(host, stack), host, bytes_most)], as_json)


@app.command("heal", short_help="End all faults of a lab")
def heal(hosts: Hosts = None, stack: InStack = "", as_json: Json = False) -> int:
    """End all faults of a lab, or those that touch some hosts, and say what they were; hosts that are off boot.

    Example: himari lab heal
    """
    from himari.lab import faults
    from himari.runs.labs import only_stack

    lab = _lab(hosts[0], stack) if hosts else _lab("", stack or only_stack())
    return _tell(faults.heal(lab, hosts or ()), as_json, "healed: ", "nothing was broken")


def _lab(host: str, stack: str) -> "Standing":
    from himari.lab.preflight import require_root
    from himari.lab.standing import standing
    from himari.runs.labs import which_stack

    require_root()
    return standing(stack or which_stack(host))


def _tell(found: "Iterable[Fault]", as_json: bool, before: str = "", none: str = "") -> int:
    from himari.cli.output import print_json

    told = tuple(found)
    if as_json:
        print_json(told)
    else:
        typer.echo("\n".join(f"{before}{fault}" for fault in told) or none)
    return 0

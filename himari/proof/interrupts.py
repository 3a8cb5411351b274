"""A network card's interrupts, as the kernel's tables show them."""

import msgspec


class Interrupt(msgspec.Struct, frozen=True):
    """`told` and `handled` are CPU lists as the kernel writes them: where it shall go, and where it last went."""

    number: int
    told: str
    handled: str
    came: int  # how often while the host was looked at


def interrupts(text: str) -> list[Interrupt]:
    """From `/proc/interrupts` before and after, and a line "number told handled" for each of the cards' interrupts."""
    before, after, lists = (*text.split("\n\n"), "", "")[:3]
    first, last = counts(before), counts(after)
    rows = (line.split() for line in lists.splitlines() if line.strip())
    return [
        Interrupt(int(number), told, handled[0] if handled else "", last.get(number, 0) - first.get(number, 0))
        for number, told, *handled in rows
    ]


def counts(table: str) -> dict[str, int]:
    """How often each numbered interrupt came, on all CPUs together."""
    head, *rows = table.strip().splitlines() or [""]
    cpus = len(head.split())
    words = (row.split() for row in rows)
    return {row[0].rstrip(":"): sum(map(int, row[1 : cpus + 1])) for row in words if row[0].rstrip(":").isdigit()}

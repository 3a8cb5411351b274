"""What an `up` cost a host in commands, as the host itself tells."""

from collections.abc import Callable

from himari.proof.window import is_of_window


def commands_since(inside: Callable[[str], str], start: str) -> list[str]:
    """What root ran over ssh since `start` (seconds since 1970), from the journal of the host that `inside` asks; the
    ledger's window, the wait for it and its logs count apart."""
    told = inside(f"journalctl --quiet --no-pager -o cat -t sudo --since @{start}")
    ran = [line.partition("COMMAND=")[2] for line in told.splitlines() if "COMMAND=" in line]
    return [command[:120] for command in ran if not is_of_window(command)]

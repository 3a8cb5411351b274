"""What a run has done so far and when, for its evidence."""

from datetime import datetime
from pathlib import Path

from himari.proof.course import Span
from himari.runs.journal import Finished, Started, read_journal


def steps_before(folder: Path) -> list[Span]:
    """The finished steps of the run that is going on, which is the newest journal's in `folder`; none without one."""
    journals = sorted(folder.glob("*.jsonl"))
    lines = read_journal(journals[-1]) if journals else []
    began = {line.step: _ns(line.at) for line in lines if isinstance(line, Started)}
    return [
        Span(row=line.step, start_ns=began[line.step], end_ns=_ns(line.at), says="", bad=bool(line.error))
        for line in lines
        if isinstance(line, Finished) and line.step in began
    ]


def _ns(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1e9)

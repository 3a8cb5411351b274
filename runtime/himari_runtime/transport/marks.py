"""What is remembered of each channel: its last record, and the greatest id of the venue's that it has seen."""

from himari_runtime.messages import RENUMBERED_IDS, Mark, Record, Route


def note(marks: dict[str, Mark], key: str, mark: Mark) -> None:
    """Remembers the last record of a channel, with the channel's greatest id: a line may bring an old event late."""
    before = marks.get(key)
    if before is not None and mark.last_id < before.last_id < mark.last_id + RENUMBERED_IDS:
        mark = Mark(mark.n, mark.epoch, before.last_id, before.received_ns)
    marks[key] = mark


def mark_of(record: Record, where: Route) -> Mark:
    """What is remembered of a record."""
    return Mark(record.n, record.epoch, where.last_id, record.received_ns)

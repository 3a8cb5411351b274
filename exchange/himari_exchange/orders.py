"""Faults by order: what a line does to its frames before they reach the socket."""

from fnmatch import fnmatchcase
from typing import Annotated

import msgspec

from himari_exchange.frames import Frame

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]


class Drop(msgspec.Struct, kw_only=True, tag_field="name", tag="drop", forbid_unknown_fields=True):
    """Each line does not send its next `count` frames of the streams that match."""

    count: Count = 1
    stream: str = "*"
    line: int | None = None


class Duplicate(msgspec.Struct, kw_only=True, tag_field="name", tag="duplicate", forbid_unknown_fields=True):
    """Each line sends its next `count` frames twice."""

    count: Count = 1
    stream: str = "*"
    line: int | None = None


class Reorder(msgspec.Struct, kw_only=True, tag_field="name", tag="reorder", forbid_unknown_fields=True):
    """Each line sends its next frame after the one that follows it in the same stream, `count` times."""

    count: Count = 1
    stream: str = "*"
    line: int | None = None


class Stall(msgspec.Struct, kw_only=True, tag_field="name", tag="stall", forbid_unknown_fields=True):
    """Each line sends nothing for some seconds, then everything that waited."""

    seconds: Seconds
    line: int | None = None


class Garbage(msgspec.Struct, kw_only=True, tag_field="name", tag="garbage", forbid_unknown_fields=True):
    """Each line sends `count` frames that are no JSON."""

    count: Count = 1
    line: int | None = None


class Cut(msgspec.Struct, kw_only=True, tag_field="name", tag="cut", forbid_unknown_fields=True):
    """Each line is cut, without a close frame."""

    line: int | None = None


class ShutdownNotice(msgspec.Struct, kw_only=True, tag_field="name", tag="shutdown-notice", forbid_unknown_fields=True):
    """Each line is told that the server will shut down."""

    line: int | None = None


FrameOrder = Drop | Duplicate | Reorder
Order = FrameOrder | Stall | Garbage | Cut | ShutdownNotice


class Faults:
    """The orders of one line that wait for their frames."""

    def __init__(self) -> None:
        self._waiting: list[tuple[FrameOrder, int]] = []
        self._held: dict[str, Frame] = {}  # by stream, until the frame that it shall follow

    def add(self, order: FrameOrder) -> None:
        self._waiting.append((order, order.count))

    def apply(self, frame: Frame) -> list[Frame]:
        """What is sent in place of `frame`; frames that are no events pass as they are."""
        if not frame.key:
            return [frame]
        if (held := self._held.pop(frame.stream, None)) is not None:
            return [frame, held]
        match self._taken_by(frame):
            case Drop():
                return []
            case Duplicate():
                return [frame, frame]
            case Reorder():
                self._held[frame.stream] = frame
                return []
        return [frame]

    def _taken_by(self, frame: Frame) -> FrameOrder | None:
        for index, (order, left) in enumerate(self._waiting):
            if fnmatchcase(frame.stream, order.stream):
                self._waiting[index : index + 1] = [(order, left - 1)] if left > 1 else []
                return order
        return None


def garbage(number: int) -> Frame:
    """A frame that is cut off in the middle; `number` tells one from another."""
    return Frame("", b'{"stream":"garbage","data":{"e":"garbage","t":%d,"p":"' % number)


def shutdown_notice(now_ms: int) -> Frame:
    """The venue's announcement that this server will go away."""
    return Frame("!serverShutdown", b'{"e":"serverShutdown","E":%d}' % now_ms)

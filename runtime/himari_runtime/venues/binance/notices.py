"""What a frame says besides its place: the venue's time of it, and that the venue is about to hang up."""

import msgspec

from himari_runtime.venues.binance import wire


class _Dated(msgspec.Struct, frozen=True, gc=False):
    data: wire.Timed


class _Wrapped(msgspec.Struct, frozen=True, gc=False):
    data: wire.Notice


_dated = msgspec.json.Decoder(_Dated)
_notice = msgspec.json.Decoder(wire.Notice)
_wrapped = msgspec.json.Decoder(_Wrapped)

SHUTDOWN = "serverShutdown"


def event_ns(payload: bytes) -> int | None:
    """When the venue made the event of a frame, in ns since 1970 (it tells ms); None where it does not say."""
    try:
        time_ms = _dated.decode(payload).data.time
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return time_ms * 1_000_000 or None


def is_shutdown(payload: bytes) -> bool:
    """Whether an unrouted frame announces that the venue closes this connection; with or without the wrapper."""
    return _event(payload) == SHUTDOWN


def _event(payload: bytes) -> str:
    try:
        return _wrapped.decode(payload).data.event
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return _notice.decode(payload).event
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""

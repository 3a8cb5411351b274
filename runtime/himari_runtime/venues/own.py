"""Where our own messages belong, on any venue."""

import msgspec

from himari_runtime.messages import Channel, Copy, Gap, Kind, Record, Resync, Route, meta_stream, stream_of

_gap = msgspec.json.Decoder(Gap)
_copy = msgspec.json.Decoder(Copy)
_resync = msgspec.json.Decoder(Resync)


def route_own(venue: str, record: Record) -> Route:
    """The route of a record that is neither a frame nor an answer. Raises msgspec.DecodeError for a broken one."""
    if record.kind == Kind.HEARTBEAT:
        return Route(meta_stream(venue), "_", Channel.HEARTBEAT)
    if record.kind == Kind.EPOCH:
        return Route(meta_stream(venue), "_", Channel.EPOCH)
    if record.kind == Kind.GAP:
        gap = _gap.decode(record.payload)
        return Route(stream_of(venue, gap.symbol, gap.channel), gap.symbol, Channel.GAP)
    if record.kind == Kind.COPY:
        copy = _copy.decode(record.payload)
        return Route(stream_of(venue, copy.symbol, copy.channel), copy.symbol, Channel.COPY)
    if record.kind == Kind.RESYNC:
        resync = _resync.decode(record.payload)
        return Route(stream_of(venue, resync.symbol, Channel.DEPTH), resync.symbol, Channel.RESYNC)
    return Route(meta_stream(venue), "_", Channel.UNPARSED)

"""Fetches sealed segments from an edge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import zstandard

from himari_runtime import metrics
from himari_runtime.settings import SegmentAccess
from himari_runtime.transport.sealed import Sealed
from himari_runtime.transport.segments import Segment

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 30.0  # the edge bounds its rate, which all who fetch share
LIST_BYTES_MOST = 64 << 20
GONE = 404

_listed = msgspec.json.Decoder(list[Sealed])


class FetchError(Exception):
    """The edge answers something that is no segment, or refuses; the text says what."""


UNREACHABLE = (aiohttp.ClientError, TimeoutError, ConnectionError, FetchError)  # no other OSError is the edge's


class SegmentClient:
    """One session with the edge's server of segments."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def open(cls, access: SegmentAccess) -> AsyncIterator["SegmentClient"]:
        """Connects when it is asked for something first."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        async with aiohttp.ClientSession(f"http://{access.host}:{access.port}", timeout=timeout) as session:
            yield cls(session)

    async def listed(self) -> list[Sealed]:
        """The sealed segments, oldest first. Raises what UNREACHABLE lists."""
        data = bytearray()
        async with self._session.get("/segments") as answer:
            answer.raise_for_status()
            async for piece in _unpacked(answer, LIST_BYTES_MOST):
                data += piece
        try:
            return sorted(_listed.decode(data), key=lambda sealed: sealed.first)
        except msgspec.DecodeError as error:
            raise FetchError(f"the list of segments cannot be read: {error}") from None

    async def fetch(self, sealed: Sealed, folder: Path) -> Segment | None:
        """Stores a segment in `folder`; None where the edge has dropped it.

        Raises what UNREACHABLE lists; any other OSError is about `folder`."""
        segment = sealed.in_folder(folder)
        async with self._session.get(f"/segments/{segment.path.name}") as answer:
            if answer.status == GONE:
                return None
            answer.raise_for_status()
            with segment.path.open("wb") as file:
                async for piece in _unpacked(answer, sealed.bytes):
                    file.write(piece)
        return segment


async def _unpacked(answer: aiohttp.ClientResponse, most: int) -> AsyncIterator[bytes]:
    """The body, decompressed; FetchError where it is cut short or longer than `most` bytes."""
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    size = 0
    async for data in answer.content.iter_any():
        metrics.CATCH_UP_BYTES.inc(len(data))
        try:
            piece = unpacker.decompress(data)
        except zstandard.ZstdError as error:
            raise FetchError(f"{answer.url.path}: {error}") from None
        size += len(piece)
        if size > most:
            raise FetchError(f"{answer.url.path}: more than the {most} bytes that were announced")
        yield piece
    if not unpacker.eof:
        raise FetchError(f"{answer.url.path}: ends too early")

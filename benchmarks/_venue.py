"""A venue that does nothing but send: frames made before, over TLS, as fast as they are taken or at a pace.

`python -m benchmarks._venue FOLDER LINES RATE` reads FOLDER/frames and FOLDER/venue.pem, waits until LINES lines have
subscribed and sends every frame on each of them; RATE is in frames a second, 0 for a burst. It prints a line of JSON
when it listens, begins and has ended, and writes FOLDER/sent: when each frame was given to the sockets (ns of the
machine's monotonic clock, which all processes share). REST answers are the least that a collector asks for."""

import base64
import hashlib
import socket
import ssl
import struct
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
PIECE_BYTES = 256 << 10
OPEN_SECONDS = 60.0


class Said(msgspec.Struct):
    """What it prints, one of these at a time."""

    port: int = 0
    began_ns: int = 0
    ended_ns: int = 0


class _Update(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    first_id: int = msgspec.field(name="U", default=0)


class _Frame(msgspec.Struct):
    data: _Update


class Rest:
    """Answers from the frames that will be sent: a snapshot ends where a symbol's updates begin."""

    def __init__(self, frames: list[bytes]) -> None:
        self._first: dict[str, int] = {}
        for frame in frames:
            if b'"depthUpdate"' in frame:
                update = msgspec.json.decode(frame, type=_Frame).data
                self._first.setdefault(update.symbol, update.first_id)

    def answer(self, target: str) -> bytes:
        """A whole HTTP response."""
        path = urlsplit(target)
        body = self._body(path.path, parse_qs(path.query).get("symbol", [""])[0])
        status = "404 Not Found" if body is None else "200 OK"
        text = msgspec.json.encode(body or {"code": -1, "msg": "not served here"})
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text

    def _body(self, path: str, symbol: str) -> dict[str, object] | None:
        if path == "/api/v3/time":
            return {"serverTime": time.time_ns() // 10**6}
        if path == "/api/v3/depth" and symbol in self._first:
            return {"lastUpdateId": self._first[symbol], "bids": [["1.0", "1.0"]], "asks": [["1000000.0", "1.0"]]}
        if path == "/api/v3/exchangeInfo":
            return {"symbols": [_listed(name) for name in self._first]}
        return None


def _listed(symbol: str) -> dict[str, object]:
    base = symbol.removesuffix("USDT")
    filters = [{"filterType": "PRICE_FILTER", "tickSize": "0.01"}, {"filterType": "LOT_SIZE", "stepSize": "0.00001"}]
    return {"symbol": symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": "USDT", "filters": filters}


class Venue:
    """Connections each have a thread until they are subscribed lines; then the sender alone has them."""

    def __init__(self, frames: list[bytes], lines: int, tls: ssl.SSLContext) -> None:
        self._frames = frames
        self._wanted = lines
        self._tls = tls
        self._rest = Rest(frames)
        self._lines: list[ssl.SSLSocket] = []
        self._subscribed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def accept(self) -> None:
        """Serves connections until the process ends."""
        while True:
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def lines(self) -> list[ssl.SSLSocket]:
        """All lines, once so many as were wanted have subscribed."""
        with self._subscribed:
            if not self._subscribed.wait_for(lambda: len(self._lines) >= self._wanted, OPEN_SECONDS):
                raise TimeoutError(f"{self._wanted} lines did not subscribe within {OPEN_SECONDS:.0f} s")
            return list(self._lines)

    def _serve(self, connection: socket.socket) -> None:
        try:
            secured = self._tls.wrap_socket(connection, server_side=True)
            target, key = _request(secured)
            if not key:
                secured.sendall(self._rest.answer(target))
                secured.close()
                return
            secured.sendall(_accepted(key))
            if "streams=" not in target:
                number = msgspec.json.decode(_message(secured), type=_Subscribe).id
                secured.sendall(framed(msgspec.json.encode({"result": None, "id": number})))
        except (OSError, EOFError):
            return
        with self._subscribed:
            self._lines.append(secured)
            self._subscribed.notify_all()


class _Subscribe(msgspec.Struct):
    id: int


def _request(connection: ssl.SSLSocket) -> tuple[str, bytes]:
    """The target of a GET and its WebSocket key, empty where it wants none."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection, 4096)
    first, *headers = data.split(b"\r\n\r\n")[0].split(b"\r\n")
    pairs = dict(header.split(b":", 1) for header in headers)
    named = {name.lower(): value.strip() for name, value in pairs.items()}
    return first.split()[1].decode(), named.get(b"sec-websocket-key", b"")


def _accepted(key: bytes) -> bytes:
    proof = base64.b64encode(hashlib.sha1(key + KEY_SUFFIX, usedforsecurity=False).digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return head + b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n"


def _message(connection: ssl.SSLSocket) -> bytes:
    """A client's whole text message, which is masked."""
    _, length = _exactly(connection, 2)
    length &= 0x7F
    if length == 126:
        (length,) = struct.unpack(">H", _exactly(connection, 2))
    mask = _exactly(connection, 4)
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(_exactly(connection, length)))


def _exactly(connection: ssl.SSLSocket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += _some(connection, size - len(data))
    return data


def _some(connection: ssl.SSLSocket, most: int) -> bytes:
    data = connection.recv(most)
    if not data:
        raise EOFError
    return data


def framed(payload: bytes) -> bytes:
    """An unmasked text frame."""
    if len(payload) < 126:
        return struct.pack(">BB", 0x81, len(payload)) + payload
    if len(payload) < 1 << 16:
        return struct.pack(">BBH", 0x81, 126, len(payload)) + payload
    return struct.pack(">BBQ", 0x81, 127, len(payload)) + payload


def burst(lines: list[ssl.SSLSocket], wire: list[bytes]) -> "array[int]":
    """All at once; when the first byte went."""
    data = memoryview(b"".join(wire))
    sent = array("q", [time.monotonic_ns()])
    for at in range(0, len(data), PIECE_BYTES):
        for line in lines:
            line.sendall(data[at : at + PIECE_BYTES])
    return sent


def paced(lines: list[ssl.SSLSocket], wire: list[bytes], rate: float) -> "array[int]":
    """One after the other at its time; those that are due together go together."""
    sent = array("q")
    begin = time.monotonic_ns()
    at = 0
    while at < len(wire):
        now = time.monotonic_ns()
        due = min(len(wire), int((now - begin) * rate / 1e9) + 1)
        if due == at:
            time.sleep(max(0.0, (begin + at / rate * 1e9 - now) / 1e9))
            continue
        data = b"".join(wire[at:due])
        sent.extend([time.monotonic_ns()] * (due - at))
        for line in lines:
            line.sendall(data)
        at = due
    return sent


def _say(said: Said) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.flush()


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def messages(stream: Iterator[bytes]) -> Iterator[Said]:
    """What a venue printed."""
    return (msgspec.json.decode(line, type=Said) for line in stream)


def main(folder: Path, lines: int, rate: float) -> None:
    """Serves one run."""
    frames = msgspec.msgpack.decode((folder / "frames").read_bytes(), type=list[bytes])
    wire = [framed(frame) for frame in frames]
    venue = Venue(frames, lines, _tls(folder / "venue.pem"))
    threading.Thread(target=venue.accept, daemon=True).start()
    _say(Said(port=venue.port))
    subscribed = venue.lines()
    time.sleep(1.0)  # a line that was just confirmed has things of its own to do
    _say(Said(began_ns=time.monotonic_ns()))
    sent = paced(subscribed, wire, rate) if rate else burst(subscribed, wire)
    (folder / "sent").write_bytes(sent.tobytes())
    _say(Said(ended_ns=time.monotonic_ns()))
    time.sleep(OPEN_SECONDS * 10)  # until it is ended


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))

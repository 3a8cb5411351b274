"""A delay line: takes each frame from a tap, holds it for a while, and puts it back with its real destination.

Run as a program of its own, `relay.py TAP MILLISECONDS`; it needs nothing but the standard library."""

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

TUN = "/dev/net/tun"
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
DETOUR, DIRECT = 0x06, 0x02  # the first byte of a destination that shall be delayed, and of the same one really
LONGEST = 65_536
HELD_BYTES = 64_000_000  # beyond it frames are lost, as in a router whose memory is full


class Line:
    """Frames on their way, in the order in which they came."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._frames: deque[tuple[float, bytes]] = deque()
        self._held = 0

    def take(self, frame: bytes, now: float) -> None:
        """Hold `frame`, unless it is none of ours (a broadcast that the bridge sent everywhere) or there is no room."""
        if frame[0] == DETOUR and self._held + len(frame) <= HELD_BYTES:
            self._frames.append((now + self._seconds, bytes((DIRECT,)) + frame[1:]))
            self._held += len(frame)

    def due(self, now: float) -> list[bytes]:
        """The frames whose time has come."""
        ready = []
        while self._frames and self._frames[0][0] <= now:
            ready.append(self._frames.popleft()[1])
        self._held -= sum(map(len, ready))
        return ready

    def wait(self, now: float) -> float | None:
        """The seconds until the next frame is due; None when none is held."""
        return max(0.0, self._frames[0][0] - now) if self._frames else None


def attach(tap: str) -> int:
    """A descriptor that reads and writes the frames of `tap`, without waiting."""
    descriptor = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", tap.encode(), IFF_TAP | IFF_NO_PI))
    return descriptor


def run(tap: str, seconds: float) -> None:
    """Relay until somebody ends the process."""
    descriptor, line = attach(tap), Line(seconds)
    while True:
        readable, _, _ = select.select((descriptor,), (), (), line.wait(time.monotonic()))
        if readable:
            line.take(os.read(descriptor, LONGEST), time.monotonic())
        for frame in line.due(time.monotonic()):
            os.write(descriptor, frame)


if __name__ == "__main__":
    run(sys.argv[1], float(sys.argv[2]) / 1000)

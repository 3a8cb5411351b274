"""Frames of our own from one host to another: they show what a cable does, whatever the hosts' firewalls think.

They bear the experimental EtherType of IEEE 802, which no protocol of a host listens to."""

import ctypes
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from himari.lab.network import NETNS

ETHERTYPE = 0x88B5
CLONE_NEWNET = 0x40000000
SMALLEST = 60  # bytes of an Ethernet frame without its checksum
TOKEN = 8


class Wire:
    """The way from one host's eth0 to another's."""

    def __init__(self, sender: socket.socket, receiver: socket.socket, source: str, destination: str) -> None:
        self._sender = sender
        self._receiver = receiver
        self._head = _bytes_of(destination) + _bytes_of(source) + ETHERTYPE.to_bytes(2, "big")

    def send(self, size: int = SMALLEST) -> bytes:
        """Send a frame of `size` bytes; the token that it carries."""
        token = os.urandom(TOKEN)
        self._sender.send((self._head + token).ljust(size, b"\0"))
        return token

    def arrives(self, token: bytes, seconds: float) -> bool:
        """Whether the frame with `token` comes out within `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._receiver.settimeout(left)
            try:
                frame = self._receiver.recv(2048)
            except TimeoutError:
                return False
            if frame[14 : 14 + TOKEN] == token:
                return True
        return False


@contextmanager
def wire(sender: str, source: str, receiver: str, destination: str) -> Iterator[Wire]:
    """From the namespace `sender` with hardware address `source` to `receiver` with `destination`."""
    with _listening(sender) as out, _listening(receiver) as into:
        yield Wire(out, into, source, destination)


def _listening(namespace: str) -> socket.socket:
    """A raw socket on a namespace's eth0: a socket stays where it was made, so only a thread that ends goes there."""
    with ThreadPoolExecutor(max_workers=1) as visitor:
        return visitor.submit(_open, namespace).result()


def _open(namespace: str) -> socket.socket:
    libc = ctypes.CDLL(None, use_errno=True)
    with (NETNS / namespace).open() as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {namespace}")
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
    opened.bind(("eth0", ETHERTYPE))
    return opened


def _bytes_of(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))

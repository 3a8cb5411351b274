"""What a service tells systemd, as sd_notify(3) says: one datagram a message, nothing where nobody listens."""

import logging
import os
import socket

PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


class JournalFormatter(logging.Formatter):
    """Begins each line with the priority that the journal files it under, where the journal is what reads it."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if "JOURNAL_STREAM" not in os.environ:
            return text
        return "\n".join(f"<{PRIORITIES.get(record.levelno, 6)}>{line}" for line in text.splitlines())


class Notifier:
    """Speaks to the socket that systemd names in NOTIFY_SOCKET; never waits for whoever listens there."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) if address else None
        if self._socket is not None:
            self._socket.connect("\0" + address[1:] if address.startswith("@") else address)

    def ready(self) -> None:
        self._tell("READY=1")

    def alive(self) -> None:
        """To be called only when the service's own loop has advanced."""
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        self._tell(f"STATUS={text}")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if self._socket is not None:
            try:
                self._socket.send(message.encode())
            except BlockingIOError:
                return  # systemd's queue is full: it will hear the next one

"""What a service tells systemd: that it is ready, that it lives, what it does."""

import sdnotify  # type: ignore[import-untyped]  # ships no types


class Notifier:
    """Speaks sd_notify; says nothing where systemd does not listen."""

    def __init__(self) -> None:
        self._notifier = sdnotify.SystemdNotifier()

    def ready(self) -> None:
        self._notifier.notify("READY=1")

    def alive(self) -> None:
        """To be called only when the service's own loop has advanced."""
        self._notifier.notify("WATCHDOG=1")

    def status(self, text: str) -> None:
        self._notifier.notify(f"STATUS={text}")

    def stopping(self) -> None:
        self._notifier.notify("STOPPING=1")

"""One record a second that says how the collector is; later stages take their time from it."""

import asyncio
import time
from collections.abc import Callable

from himari_runtime.feeds.intake import Intake
from himari_runtime.messages import Heartbeat, Kind

PERIOD_SECONDS = 1.0


class Heartbeats:
    """`describe` says the condition at a time (ns since 1970); `beaten` is told after each beat."""

    def __init__(
        self, intake: Intake, describe: Callable[[int], Heartbeat], beaten: Callable[[Heartbeat], None]
    ) -> None:
        self._intake = intake
        self._describe = describe
        self._beaten = beaten

    async def run(self) -> None:
        """Beats on the monotonic clock; beats that a busy machine missed are not made up for."""
        due = time.monotonic()
        while True:
            heartbeat = self._describe(time.time_ns())
            self._intake.say(Kind.HEARTBEAT, heartbeat)
            self._beaten(heartbeat)
            due = max(due + PERIOD_SECONDS, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

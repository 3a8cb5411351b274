"""Calls to the venue's REST interface, within its weight."""

import logging
import ssl
import time
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from himari_runtime.feeds import counters
from himari_runtime.feeds.budget import WeightBudget
from himari_runtime.messages import PAYLOAD_BYTES_MOST
from himari_runtime.venues.dialect import Call, Dialect

TIMEOUT = aiohttp.ClientTimeout(total=10)
ANSWER_BYTES_MOST = PAYLOAD_BYTES_MOST // 2  # the record holds it with what was asked
RETRY_AFTER_SECONDS = 60.0  # where the venue refuses without saying for how long
FIGURE_DIGITS_MOST = 9

log = logging.getLogger(__name__)


class RestError(Exception):
    """A call failed; the text says which and why."""


class Answer(msgspec.Struct, frozen=True):
    """A body as it came; times in ns since 1970, taken around the exchange alone."""

    body: bytes
    sent_ns: int
    received_ns: int


class RestClient:
    """One session. All calls share `budget`."""

    def __init__(self, base_url: str, tls: ssl.SSLContext | None, budget: WeightBudget, dialect: Dialect) -> None:
        self._base = base_url.rstrip("/")
        self.budget = budget
        self._limits = dialect.limits
        self._refusal = dialect.answers.refusal
        self._session = aiohttp.ClientSession(
            timeout=TIMEOUT, connector=aiohttp.TCPConnector(ssl=tls if tls is not None else True, keepalive_timeout=60)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, call: Call) -> Answer:
        """The answer to `call`, once the budget and the venue let it pass. Raises RestError."""
        while True:
            await self.budget.take(call.weight, call.priority)
            try:
                answer = await self._exchange(call)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._failed(call, f"{type(error).__name__}: {error}") from None
            if answer is not None:
                return answer

    async def _exchange(self, call: Call) -> Answer | None:
        sent_ns = time.time_ns()
        async with self._session.get(self._base + call.path, params=call.query) as response:
            self._observe(response)  # whatever becomes of the body
            body = await _body(response)
            received_ns = time.time_ns()
            if response.status in self._limits.wait_statuses:
                return None
            if response.status != 200:
                raise self._failed(call, f"status {response.status}: {self._refusal(body)}")
            return Answer(body, sent_ns, received_ns)

    def _observe(self, response: aiohttp.ClientResponse) -> None:
        used = _figure(response.headers.get(self._limits.weight_header, ""))
        if used is not None:
            self.budget.observe(used)
        if response.status in self._limits.wait_statuses:
            after = _figure(response.headers.get("Retry-After", ""))
            seconds = RETRY_AFTER_SECONDS if after is None else float(after)
            log.warning("the venue asks to wait %.0f s (status %s)", seconds, response.status)
            self.budget.pause(seconds)

    def _failed(self, call: Call, why: str) -> RestError:
        counters.REFUSED.labels(call.path).inc()
        return RestError(f"{self._base}{call.path}: {why}")


def _figure(text: str) -> int | None:
    """What a header says; None where it is no figure."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= FIGURE_DIGITS_MOST else None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > ANSWER_BYTES_MOST:
            raise aiohttp.ClientPayloadError(f"the answer has more than {ANSWER_BYTES_MOST} bytes")
    return bytes(body)


def tls_for(url: str, ca_file: str) -> ssl.SSLContext | None:
    """What verifies the venue: the system's store, or `ca_file` alone; None for a plain address."""
    if not url.startswith(("https:", "wss:")):
        return None
    return ssl.create_default_context(cafile=ca_file or None)

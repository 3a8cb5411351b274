"""REST answers go into the journal as they came, wrapped with what was asked."""

import msgspec

from himari_runtime.feeds.intake import Intake, Taken
from himari_runtime.feeds.rest import RestClient
from himari_runtime.messages import Kind, Rest
from himari_runtime.venues.dialect import Call


class Answers:
    """Asks, journals, and returns what was journaled."""

    def __init__(self, rest: RestClient, intake: Intake) -> None:
        self._rest = rest
        self._intake = intake

    async def fetch(self, symbol: str, call: Call) -> tuple[bytes, Taken]:
        """The body of the answer and its record. Raises RestError."""
        answer = await self._rest.get(call)
        rest = Rest(endpoint=call.endpoint, symbol=symbol, weight=call.weight, body=msgspec.Raw(answer.body))
        return answer.body, self._intake.say(Kind.REST, rest)

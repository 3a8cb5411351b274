"""pyinfra's view of a host: one fact that answers everything."""

import msgspec
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from himari.apply import bundle
from himari.apply.agent.wire import Failure, Query, State
from himari.apply.answer import read_answer


class HostState(FactBase[State | Failure | None]):
    """The host as it is, as far as the query in `_stdin` asks; see `query_stream`. None when nothing came back.

    Its argument is the shell text that runs the agent there as root."""

    def command(self, command: str) -> str:
        return command

    def process(self, output: list[str]) -> State | Failure:
        try:
            return read_answer(output[-1], State)
        except (msgspec.DecodeError, IndexError) as error:
            raise FactProcessError(f"not the answer of the agent: {error}") from None


def query_stream(query: Query) -> bundle.Stream:
    """The `_stdin` of `HostState` that asks `query`."""
    return bundle.stream("state", msgspec.json.encode(query))

"""Orders to a running simulator: the listener on loopback, and the client that the command line uses."""

from http.client import HTTPConnection, HTTPException
from time import time_ns

import msgspec
from aiohttp import web

from himari_exchange.errors import ControlError
from himari_exchange.ledger import Ledger
from himari_exchange.lines import Line, Lines
from himari_exchange.orders import Cut, Garbage, Order, ShutdownNotice, Stall, garbage, shutdown_notice
from himari_exchange.settings import Control

MS = 1_000_000
ANSWER_SECONDS = 10


class Reply(msgspec.Struct):
    """The lines that took an order, or why it was refused."""

    lines: list[int] = []
    error: str = ""


class Desk:
    """Takes orders as JSON by POST to `/orders`, notes them in the ledger and hands them to the lines open now."""

    def __init__(self, lines: Lines, ledger: Ledger) -> None:
        self._lines, self._ledger = lines, ledger

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/orders", self._take)]

    async def _take(self, request: web.Request) -> web.Response:
        try:
            order: Order = msgspec.json.decode(await request.read(), type=Order)
        except msgspec.MsgspecError as error:
            return _reply(400, Reply(error=f"not an order: {error}"))
        lines = self._lines.chosen(order.line)
        if not lines:
            named = "no line is open" if order.line is None else f"line {order.line} is not open"
            return _reply(409, Reply(error=named))
        self._ledger.order(order, [line.number for line in lines])
        for line in lines:
            _give(line, order)
        return _reply(200, Reply(lines=[line.number for line in lines]))


def _give(line: Line, order: Order) -> None:
    match order:
        case Cut():
            line.abort()
        case Stall():
            line.stall(order.seconds)
        case ShutdownNotice():
            line.offer(shutdown_notice(time_ns() // MS))
        case Garbage():
            for number in range(order.count):
                line.offer(garbage(number))
        case _:
            line.faults.add(order)


def give_order(control: Control, order: Order) -> Reply:
    """Hand an order to the simulator at `control`. Raises ControlError when it does not answer or refuses."""
    where = f"{control.address}:{control.port}"
    try:
        connection = HTTPConnection(control.address, control.port, timeout=ANSWER_SECONDS)
        connection.request("POST", "/orders", msgspec.json.encode(order))
        reply = msgspec.json.decode(connection.getresponse().read(), type=Reply)
        connection.close()
    except (OSError, HTTPException, msgspec.MsgspecError) as error:
        raise ControlError(f"no answer: {error}", where=where, hint="systemctl status himari-exchange") from error
    if reply.error:
        raise ControlError(reply.error, where=where, hint="himari-exchange ledger shows which lines are open")
    return reply


def _reply(status: int, reply: Reply) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(reply), content_type="application/json")

"""Hosts that carry a steady market: their answers are data; the window, its ledger and its verdict are real."""

import json
import time
from collections.abc import Mapping, Sequence

from himari.drills.drill import Gaps
from himari.drills.field import FRAME, Field
from himari.drills.judge import Verdict
from himari.drills.window import drilled
from himari.stack.paths import StateDir
from tests.unit.drills.samples import SECOND, Recorded, Remote, drill

STEP_NS = SECOND // 100  # between two trades
BEFORE_NS = 5 * SECOND  # how much of the window is before the fault
HOLE = 50  # trades that a cut costs
ARRIVED = {"/metrics": f"{FRAME} 9e18"}  # the brain has what is younger than any fault


class Market:
    """The hosts' answers by a clock that is this machine's at the fault and leaps when a host sleeps: the window is
    long at once, before the fault and behind it."""

    def __init__(self) -> None:
        self.leapt_ns = -BEFORE_NS
        self.cut: int | None = None  # the last trade before it

    def now(self) -> int:
        return time.time_ns() + self.leapt_ns

    def __call__(self, host: str, argv: Sequence[str]) -> bytes:
        if argv[0] == "sleep":
            self.leapt_ns += 20 * SECOND
        if argv[0] == "date":
            return str(self.now()).encode()
        if "--from-ns" not in argv:
            return b""
        from_ns, to_ns = (int(argv[argv.index(name) + 1]) for name in ("--from-ns", "--to-ns"))
        trades = range(from_ns // STEP_NS + 1, min(to_ns, self.now()) // STEP_NS + 1)
        if "ledger" in argv:
            return json.dumps(self._ledger(trades)).encode()
        return json.dumps(self._digest(argv[argv.index("--where") + 1], trades)).encode()

    def _ledger(self, trades: range) -> dict[str, object]:
        cut = self.cut and self.cut * STEP_NS
        lines = [{"line": 1, "opened_ns": 1, "closed_ns": cut}]
        lines += [{"line": 2, "opened_ns": cut + HOLE * STEP_NS, "closed_ns": None}] if cut else []
        events = [[f"t|BTCUSDT|{n}", "0" * 16, n * STEP_NS, 1, "ws"] for n in trades]
        return {"first_ns": 1, "last_ns": self.now(), "lines": lines, "events": events}

    def _digest(self, where: str, trades: range) -> dict[str, object]:
        missed = range(self.cut + 1, self.cut + HOLE + 1) if self.cut else range(0)
        held = [[f"t|BTCUSDT|{n}", "0" * 16, n * STEP_NS, "ws"] for n in trades if n not in missed]
        last_ns = self.now() + 60 * SECOND
        whole = {"source": "edge", "where": where, "first_ns": 1, "last_ns": last_ns, "records": len(held)}
        gaps = [self._gap(self.cut)] if self.cut else []
        files = [[1, self.now(), self.now() + SECOND]]
        return whole | {"duplicates": 0, "events": held, "gaps": gaps, "files": files}

    def _gap(self, after: int) -> Mapping[str, object]:
        before = after + HOLE + 1
        names = {"venue": "binance", "symbol": "BTC/USDT", "channel": "trade", "reason": "reconnect"}
        times = {"after_ns": after * STEP_NS, "before_ns": before * STEP_NS}
        return {**names, **times, "after_id": after, "before_id": before}


class Cut(Recorded):
    """The market's only line is cut."""

    def __init__(self, market: Market) -> None:
        super().__init__()
        self._market = market

    def inject(self, field: Field) -> None:
        self.done.append("inject")
        self._market.leapt_ns = 0
        self._market.cut = self._market.now() // STEP_NS

    def over(self, field: Field) -> bool:
        return self._market.now() // STEP_NS > (self._market.cut or 0) + HOLE


def window_of_a_cut(state: StateDir, seed: int = 7) -> Verdict:
    """A real drill's verdict: a cut that costs one disclosed gap, judged by the ledger of its window."""
    market = Market()
    cut = drill("lines-cut", Cut(market), gaps=Gaps.TIGHT)
    return drilled(Remote(state, ARRIVED), market, [cut], seed, lambda _: None)

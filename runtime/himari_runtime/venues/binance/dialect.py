"""Binance spot, as the feeds and the digest want it."""

from himari_runtime.messages import Channel
from himari_runtime.venues.binance import answers, endpoints, primer, streams
from himari_runtime.venues.binance.fingerprint import fingerprints
from himari_runtime.venues.binance.notices import event_ns, is_shutdown
from himari_runtime.venues.binance.route import route
from himari_runtime.venues.binance.streams import VENUE
from himari_runtime.venues.dialect import Answers, Calls, Dialect, Limits

BINANCE = Dialect(
    name=VENUE,
    limits=Limits(
        connections=streams.CONNECTIONS_MOST,
        connections_seconds=streams.CONNECTIONS_SECONDS,
        request_seconds=streams.REQUEST_SECONDS,
        idle_seconds=streams.IDLE_SECONDS,
        weight_header="X-MBX-USED-WEIGHT-1M",
        wait_statuses=frozenset({418, 429}),
    ),
    line_url=streams.line_url,
    shards=streams.shards,
    subscriptions=streams.subscriptions,
    calls=Calls(
        snapshot=endpoints.snapshot,
        book_poll=endpoints.book_poll,
        closed_kline=endpoints.closed_kline,
        exchange_info=endpoints.exchange_info,
        trades=endpoints.historical_trades,
        server_time=endpoints.server_time,
    ),
    answers=Answers(
        trade_ids=answers.trade_ids,
        server_time_ns=answers.server_time_ns,
        refusal=answers.refusal,
        request_refusal=answers.request_refusal,
    ),
    route=route,
    sequenced={Channel.TRADE: True, Channel.DEPTH: True, Channel.BOOK_TICKER: False},
    event_ns=event_ns,
    is_shutdown=is_shutdown,
    primer=primer.V1,
    fingerprints=fingerprints,
)

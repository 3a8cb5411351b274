"""Runs in the peer's own environment: cryptofeed's Binance feed into its Redis stream backend, as its examples do.

`_cryptofeed_run.py VENUE_PORT REDIS_PORT SYMBOL...`; it runs until it is ended."""

import asyncio
import sys

import uvloop
from cryptofeed import FeedHandler
from cryptofeed.backends.redis import BookStream, TickerStream, TradeStream
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import L2_BOOK, TICKER, TRADES
from cryptofeed.exchanges import Binance

venue_port, redis_port, *names = sys.argv[1:]
routes = Routes("/api/v3/exchangeInfo", l2book="/api/v3/depth?symbol={}&limit={}")
Binance.websocket_endpoints = [WebsocketEndpoint(f"wss://localhost:{venue_port}")]
Binance.rest_endpoints = [RestEndpoint(f"https://localhost:{venue_port}", routes=routes)]
backends = {TRADES: TradeStream, L2_BOOK: BookStream, TICKER: TickerStream}
callbacks = {channel: backend(port=int(redis_port)) for channel, backend in backends.items()}
handler = FeedHandler(config={"log": {"filename": "/dev/null", "level": "WARNING"}, "uvloop": False})
handler.add_feed(Binance(symbols=names, channels=list(backends), callbacks=callbacks))
asyncio.set_event_loop(uvloop.new_event_loop())  # this uvloop makes none by itself, which the handler expects
handler.run()

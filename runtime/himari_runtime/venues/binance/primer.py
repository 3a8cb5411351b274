"""The dictionary that the compressor and the decompressor of chunks share: text that every chunk repeats.

Its bytes are part of the format: a chunk in a buffer or a segment can only be read with the primer that it was written
with. A better one gets a new version beside this one.
"""

# Typed by hand after the venue's documentation; most frequent text last, where references to it are shortest.
V1 = b"".join(
    (
        b'{"endpoint":"exchangeInfo","symbol":"_","weight":20,"body":{"timezone":"UTC","serverTime":1700000000000,'
        b'"rateLimits":[],"exchangeFilters":[],"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC",'
        b'"baseAssetPrecision":8,"quoteAsset":"USDT","quotePrecision":8,"orderTypes":["LIMIT","LIMIT_MAKER","MARKET"],'
        b'"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000",'
        b'"tickSize":"0.01000000"},{"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000",'
        b'"stepSize":"0.00001000"}]}]}}',
        b'{"endpoint":"klines","symbol":"BTC/USDT","weight":2,"body":[[1700000000000,"',
        b'{"endpoint":"historicalTrades","symbol":"BTC/USDT","weight":25,"body":[{"id":1,"price":"',
        b'","qty":"0.00100000","quoteQty":"10.00000000","time":1700000000000,"isBuyerMaker":true,"isBestMatch":true},'
        b'{"id":2,"price":"","qty":"","quoteQty":"","time":1700000000000,"isBuyerMaker":false,"isBestMatch":true}]}',
        b'{"endpoint":"depth/poll","symbol":"BTC/USDT","weight":5,"body":{"lastUpdateId":1,"bids":[["',
        b'{"endpoint":"depth","symbol":"BTC/USDT","weight":50,"body":{"lastUpdateId":1,"bids":[["',
        b'{"epoch":1,"previous_epoch":0,"previous_n":0,"reason":"start","marks":{"md:binance:BTC/USDT:trades|trade":'
        b'{"n":1,"epoch":1,"last_id":1,"received_ns":1700000000000000000}}}',
        b'{"venue":"binance","symbol":"BTC/USDT","channel":"book_ticker","after_id":1,"before_id":2,"after_ns":1,'
        b'"before_ns":2,"reason":"reconnect","filled":false}',
        b'{"time_ns":1700000000000000000,"clock_offset_ns":0,"round_trip_ns":1000000,"backlog_records":0,'
        b'"backlog_seconds":0.0,"reconnects":0,"frames":{"trade":1000,"depth":1000,"book_ticker":1000},"gaps":0,'
        b'"resyncs":0,"unparsed":0}',
        b'{"stream":"ethusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000000,"s":"ETHUSDT","U":1,"u":2,"b":[["',
        b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000000,"s":"BTCUSDT","U":10000000001,'
        b'"u":10000000002,"b":[["60000.00000000","0.00000000"],["60000.10000000","0.00010000"],'
        b'["60000.20000000","0.00100000"],["60000.30000000","0.01000000"]],"a":[["60001.00000000","0.00000000"],'
        b'["60001.10000000","0.10000000"],["60001.20000000","1.00000000"],["60001.30000000","0.00000000"]]}}',
        b'{"stream":"ethusdt@trade","data":{"e":"trade","E":1700000000000,"s":"ETHUSDT","t":1000000001,'
        b'"p":"3000.00000000","q":"0.01000000","T":1700000000000,"m":false,"M":true}}',
        b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000000,"s":"BTCUSDT","t":1000000001,'
        b'"p":"60000.00000000","q":"0.00100000","T":1700000000000,"m":true,"M":true}}',
        b'{"stream":"ethusdt@bookTicker","data":{"u":10000000001,"s":"ETHUSDT","b":"3000.00000000","B":"1.00000000",'
        b'"a":"3000.01000000","A":"1.00000000"}}',
        b'{"stream":"btcusdt@bookTicker","data":{"u":10000000001,"s":"BTCUSDT","b":"60000.00000000","B":"1.00000000",'
        b'"a":"60000.01000000","A":"1.00000000"}}',
    )
)

-- Open and close are the first and last trade by time and id; ids of digits sort as the numbers that they are.
CREATE MATERIALIZED VIEW ohlcv_5min AS
SELECT
    bucket,
    symbol,
    exchange,
    prices[1] AS open,
    high,
    low,
    prices[trade_count] AS close,
    volume,
    trade_count,
    avg_quality,
    price_stddev,
    high - low AS price_range
FROM (
    SELECT
        date_bin('5 minutes', time, 'epoch') AS bucket,
        symbol,
        exchange,
        array_agg(price ORDER BY time, time_ns, length(event_id), event_id) AS prices,
        max(price) AS high,
        min(price) AS low,
        sum(volume) AS volume,
        count(*) AS trade_count,
        avg(quality_score) AS avg_quality,
        stddev(price) AS price_stddev
    FROM market_data
    WHERE kind = 'trade'
    GROUP BY 1, 2, 3
) AS buckets;
CREATE UNIQUE INDEX ohlcv_5min_key ON ohlcv_5min (symbol, exchange, bucket);

CREATE MATERIALIZED VIEW ohlcv_1hour AS
SELECT
    date_bin('1 hour', bucket, 'epoch') AS bucket,
    symbol,
    exchange,
    (array_agg(open ORDER BY bucket))[1] AS open,
    max(high) AS high,
    min(low) AS low,
    (array_agg(close ORDER BY bucket DESC))[1] AS close,
    sum(volume) AS volume,
    sum(trade_count)::bigint AS trade_count,
    sum(avg_quality * trade_count) / sum(trade_count) AS avg_quality
FROM ohlcv_5min
GROUP BY 1, 2, 3;
CREATE UNIQUE INDEX ohlcv_1hour_key ON ohlcv_1hour (symbol, exchange, bucket);

GRANT SELECT ON ohlcv_5min, ohlcv_1hour TO reader;

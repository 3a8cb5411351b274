-- Every trade once. `time` is the venue's, to the microsecond, and `time_ns` the nanoseconds beyond it.
-- NaN is greater than all numbers, infinity included, so an upper bound keeps it out.
CREATE TABLE market_data (
    time timestamptz NOT NULL,
    time_ns smallint NOT NULL DEFAULT 0,
    exchange text NOT NULL,
    symbol text NOT NULL,
    kind text NOT NULL,
    event_id text NOT NULL,
    price numeric NOT NULL,
    volume numeric NOT NULL,
    quality_score real NOT NULL,
    issues text[] NOT NULL DEFAULT '{}',
    CONSTRAINT market_data_key PRIMARY KEY (exchange, symbol, kind, event_id, time),
    CONSTRAINT valid_names CHECK ('' NOT IN (exchange, symbol, kind, event_id)),
    CONSTRAINT valid_time_ns CHECK (time_ns BETWEEN 0 AND 999),
    CONSTRAINT valid_price CHECK (price > 0 AND price < 'Infinity'),
    CONSTRAINT valid_volume CHECK (volume >= 0 AND volume < 'Infinity'),
    CONSTRAINT valid_score CHECK (quality_score BETWEEN 0 AND 1)
) PARTITION BY RANGE (time);
-- What has no partition of its day yet is not refused.
CREATE TABLE market_data_default PARTITION OF market_data DEFAULT;

CREATE INDEX idx_market_symbol_time ON market_data (symbol, time DESC);
CREATE INDEX idx_market_exchange_time ON market_data (exchange, time DESC);
CREATE INDEX idx_market_quality ON market_data (quality_score) WHERE quality_score < 0.7;

GRANT SELECT, INSERT ON market_data TO writer;
GRANT SELECT ON market_data TO reader;

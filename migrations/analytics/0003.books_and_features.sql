-- The best bid and ask of each second.
CREATE TABLE top_of_book (
    time timestamptz NOT NULL,
    exchange text NOT NULL,
    symbol text NOT NULL,
    bid_price numeric NOT NULL,
    bid_volume numeric NOT NULL,
    ask_price numeric NOT NULL,
    ask_volume numeric NOT NULL,
    CONSTRAINT top_of_book_key PRIMARY KEY (exchange, symbol, time),
    CONSTRAINT valid_names CHECK ('' NOT IN (exchange, symbol)),
    CONSTRAINT valid_prices CHECK (
        bid_price > 0 AND bid_price < 'Infinity' AND ask_price > 0 AND ask_price < 'Infinity'
    ),
    CONSTRAINT valid_volumes CHECK (
        bid_volume >= 0 AND bid_volume < 'Infinity' AND ask_volume >= 0 AND ask_volume < 'Infinity'
    )
) PARTITION BY RANGE (time);
CREATE TABLE top_of_book_default PARTITION OF top_of_book DEFAULT;
CREATE INDEX idx_book_symbol_time ON top_of_book (symbol, time DESC);

-- The history of what Redis serves the last values of: `measures` by name.
CREATE TABLE features (
    time timestamptz NOT NULL,
    time_ns smallint NOT NULL DEFAULT 0,
    exchange text NOT NULL,
    symbol text NOT NULL,
    measures jsonb NOT NULL,
    CONSTRAINT features_key PRIMARY KEY (exchange, symbol, time, time_ns),
    CONSTRAINT valid_names CHECK ('' NOT IN (exchange, symbol)),
    CONSTRAINT valid_time_ns CHECK (time_ns BETWEEN 0 AND 999),
    CONSTRAINT valid_measures CHECK (jsonb_typeof(measures) = 'object')
) PARTITION BY RANGE (time);
CREATE TABLE features_default PARTITION OF features DEFAULT;
CREATE INDEX idx_features_symbol_time ON features (symbol, time DESC);

GRANT SELECT, INSERT ON top_of_book, features TO writer;
GRANT SELECT ON top_of_book, features TO reader;

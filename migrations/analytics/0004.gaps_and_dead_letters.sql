-- What is missing, bounded by what is stored on both sides: ids are the venue's, none where nothing was ever stored.
CREATE TABLE data_gaps (
    time timestamptz NOT NULL,
    until timestamptz,
    exchange text NOT NULL,
    symbol text NOT NULL,
    channel text NOT NULL,
    after_id bigint,
    before_id bigint,
    reason text NOT NULL,
    filled boolean NOT NULL DEFAULT false,
    CONSTRAINT data_gaps_key UNIQUE NULLS NOT DISTINCT (exchange, symbol, channel, after_id, before_id, time),
    CONSTRAINT valid_names CHECK ('' NOT IN (exchange, symbol, channel, reason)),
    CONSTRAINT valid_span CHECK (until >= time)
);
CREATE INDEX idx_gaps_time ON data_gaps (time DESC);

-- What no table takes, with the reason; `source` is the record's id on its way here.
CREATE TABLE dead_letters (
    time timestamptz NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL DEFAULT '',
    exchange text NOT NULL DEFAULT '',
    symbol text NOT NULL DEFAULT '',
    reason text NOT NULL,
    payload bytea NOT NULL,
    CONSTRAINT dead_letters_key PRIMARY KEY (source, event_id, reason),
    CONSTRAINT valid_names CHECK ('' NOT IN (source, reason))
);
CREATE INDEX idx_dead_letters_time ON dead_letters (time DESC);

GRANT SELECT, INSERT ON data_gaps, dead_letters TO writer;
-- A gap is closed once the venue has told again what was in it.
GRANT UPDATE (filled) ON data_gaps TO writer;
GRANT SELECT ON data_gaps, dead_letters TO reader;

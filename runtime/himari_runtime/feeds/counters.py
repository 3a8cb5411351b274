"""What Prometheus reads about the feeds."""

from prometheus_client import Counter, Gauge, Histogram

FRAMES = Counter("himari_frames", "Records journaled", ("channel",))
UNPARSED = Counter("himari_unparsed", "Records that could not be read; they stay in the journal")
DISCLOSED = Counter("himari_feed_gaps", "Gaps disclosed", ("channel", "reason"))
FILLED = Counter("himari_feed_gaps_filled", "Gaps closed by a backfill")
GIVEN_UP = Counter("himari_feed_gaps_given_up", "Gaps that no backfill will close: the venue lacks a trade of them")
RESYNCS = Counter("himari_resyncs", "Books that began again from a snapshot")
RECONNECTS = Counter("himari_reconnects", "Lines lost", ("why",))
LINE_UP = Gauge("himari_line_up", "1 while the line is subscribed", ("line",))
WEIGHT_USED = Gauge("himari_weight_used", "Request weight used in this minute, as the venue counts it")
REFUSED = Counter("himari_rest_failures", "REST calls that failed", ("endpoint",))
CLOCK_OFFSET = Gauge("himari_clock_offset_seconds", "The venue's clock minus ours")
ROUND_TRIP = Gauge("himari_venue_round_trip_seconds", "Round trip of a REST call to the venue")
DELAY = Histogram(
    "himari_event_delay_seconds",
    "From the venue's event time to our receive time",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)

"""What Prometheus reads from the services, and where they serve it."""

import asyncio
import errno
import logging

from prometheus_client import Counter, Gauge, Histogram, start_http_server

JOURNAL_RECORDS = Counter("himari_journal_records", "Records appended to the journal")
JOURNAL_BYTES = Counter("himari_journal_bytes", "Bytes appended to the journal")
JOURNAL_DROPPED = Counter("himari_journal_segments_dropped", "Sealed segments removed for space")
JOURNAL_SYNC = Histogram(
    "himari_journal_sync_seconds", "Duration of fdatasync", buckets=(0.001, 0.005, 0.02, 0.1, 0.25, 1, 5)
)
JOURNAL_ERRORS = Counter("himari_journal_errors", "Failures of the journal's keeper")
JOURNAL_DAMAGE = Counter(
    "himari_journal_damage", "Places of the journal that could not be read; what was there is lost"
)

PUSHED_RECORDS = Counter("himari_pushed_records", "Records pushed by this process that the buffer has confirmed")
PUSHED_BYTES = Counter("himari_pushed_bytes", "Bytes sent to the buffer")
PUSH_DUPLICATES = Counter("himari_push_duplicates", "Chunks that the buffer already had")
PUSH_RECONNECTS = Counter("himari_push_reconnects", "Connections to the buffer that were lost or refused")
BUFFER_FULL = Gauge("himari_buffer_full", "1 while the buffer refuses writes for want of memory")
BUFFER_TRIMMED = Counter(
    "himari_buffer_trimmed_chunks", "Chunks removed before their window had passed, because Redis was full"
)
BACKLOG_RECORDS = Gauge("himari_push_backlog_records", "Records journaled and not yet pushed")

READ_RECORDS = Counter("himari_consumed_records", "Records read from the buffer")
LINK_BYTES = Counter("himari_link_bytes", "Bytes read from the buffer, as they crossed the link")
FRAME_BYTES = Counter("himari_frame_bytes", "The same records' bytes, decompressed")
DAMAGED_CHUNKS = Counter("himari_damaged_chunks", "Entries of the buffer that could not be unpacked")
READ_RECONNECTS = Counter("himari_consumer_reconnects", "Connections to the buffer that were lost or refused")
LAG_RECORDS = Gauge("himari_consumer_lag_records", "Records read from the buffer and not yet in Parquet")
LAG_SECONDS = Gauge("himari_consumer_lag_seconds", "Age of the newest record read from the buffer")
FRAME_METRIC = "himari_consumed_frame_received_ns"  # the dead-man reads it
FRAME_NS = Gauge(FRAME_METRIC, "Receive time of the newest frame of the venue read")
GAPS = Counter("himari_gaps", "Gaps written by the consumer because the buffer had been trimmed")
CATCH_UP_METRIC = "himari_catch_up_records_behind"  # it reads these two as well
CATCH_UP_BEHIND = Gauge(CATCH_UP_METRIC, "Sealed records not yet read while the consumer catches up; 0 otherwise")
CATCH_UP_LEFT_METRIC = "himari_catch_up_seconds_left"
CATCH_UP_LEFT = Gauge(CATCH_UP_LEFT_METRIC, "How long catching up takes at the pace so far; 0 when not known")
CATCHING_UP_METRIC = "himari_catching_up"  # and this one
CATCHING_UP = Gauge(CATCHING_UP_METRIC, "1 while the consumer reads from sealed segments")
CATCH_UP_RECORDS = Counter("himari_catch_up_records", "Records read from sealed segments")
CATCH_UP_BYTES = Counter("himari_catch_up_bytes", "Bytes of segments, as they crossed the link")
CATCH_UP_DAMAGED = Counter("himari_catch_up_damaged_segments", "Segments that the edge's disk has damaged")
SERVED_BYTES = Counter("himari_segments_served_bytes", "Bytes of segments sent, as they cross the link")
SERVED_SEGMENTS = Counter("himari_segments_served", "Segments sent to their end")
SEALED_SEGMENTS = Gauge("himari_segments_listed", "Sealed segments of the journal")
SEGMENTS_READABLE = Gauge("himari_segments_readable", "1 while the journal can be read by its server")

FILES = Counter("himari_parquet_files", "Parquet files written")
FILE_BYTES = Counter("himari_parquet_bytes", "Bytes of the Parquet files written")
STORED_NS = Gauge("himari_stored_received_ns", "Receive time of the newest record in Parquet")
STORE_ERRORS = Counter("himari_store_errors", "Attempts to write Parquet that its disk refused")
FAILING_METRIC = "himari_store_failing"  # so does it
STORE_FAILING = Gauge(FAILING_METRIC, "1 while what was read cannot be written to Parquet")
DISK_LOW = Gauge("himari_parquet_disk_low", "1 while the consumer waits for room on its disk")

RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)


async def serve(address: str, port: int) -> None:
    """Serves the metrics; waits for an address that does not exist yet, as WireGuard's before the tunnel is up."""
    while True:
        try:
            start_http_server(port, addr=address)
        except OSError as error:
            if error.errno not in {errno.EADDRNOTAVAIL, errno.EADDRINUSE}:
                raise
            log.info("metrics wait for %s:%s: %s", address, port, error.strerror)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return

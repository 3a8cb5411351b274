"""Every port of the stack, written once."""

SSH = 22
REDIS = 6379
REDIS_FEATURES = 6380
POSTGRESQL = 5432
NEO4J = 7687  # bolt
KAFKA = 9092  # by password, in the tunnel
KAFKA_LOCAL = 9093  # by password, on the broker's own host
KAFKA_ADMIN = 9094  # by certificate; also where the broker calls itself
KAFKA_CONTROLLER = 9095  # by certificate
COLLECTOR_METRICS = 9464
CONSUMER_METRICS = 9465
SEGMENTS = 9466
SEGMENTS_METRICS = 9467
NODE_METRICS = 9100
REDIS_METRICS = 9121
POSTGRESQL_METRICS = 9187
VENUE = 9443  # WebSocket and REST of the simulated venue
EXCHANGE_CONTROL = 9444  # loopback only

# Nothing listens here: probes use it for "any other port".
UNUSED = 8080

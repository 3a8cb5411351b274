"""Where things lie on a host, written once."""

CONFIG = "/etc/himari"
STATE = "/var/lib/himari"
VENVS = "/opt/himari"
CREDENTIALS = "/etc/credstore.encrypted"
UNITS = "/etc/systemd/system"
RUN = "/run/himari"  # on a machine that has labs, their locks lie there, too
OURS = (VENVS, RUN, CONFIG, "/var/cache/himari", "/var/lib/himari-apply")  # made by us, removed with us

HOLDER = f"{CONFIG}/stack"  # the name of the stack that the host belongs to
COLLECTOR_SETTINGS = f"{CONFIG}/collector.toml"
CONSUMER_SETTINGS = f"{CONFIG}/consumer.toml"
SEGMENTS_SETTINGS = f"{CONFIG}/segments.toml"
EXCHANGE_SETTINGS = f"{CONFIG}/exchange.toml"
FIREWALL = f"{CONFIG}/firewall.nft"
FIREWALL_CLOSED = f"{CONFIG}/firewall-closed.nft"  # loaded first: what holds while the other cannot be
TLS = f"{CONFIG}/tls"
CA_CERTIFICATE = f"{TLS}/ca.pem"
EXCHANGE_CERTIFICATE = f"{TLS}/exchange.pem"

METRICS = f"{CONFIG}/metrics"  # what the node exporter tells as it is written there
CERTIFICATE_METRICS = f"{METRICS}/certificates.prom"

JOURNAL = f"{STATE}/journal"
PARQUET = f"{STATE}/parquet"
DEADMAN_STATE = f"{STATE}/deadman/state.json"
SELF_CHECKS = "/var/lib/himari-self-check"
CUTOVER = f"{STATE}/cutover.json"
EXCHANGE_STATE = "/var/lib/himari-exchange"

RUNTIME_VENV = f"{VENVS}/runtime"
EXCHANGE_VENV = f"{VENVS}/exchange"
RUNTIME = f"{RUNTIME_VENV}/bin/himari-runtime"
EXCHANGE = f"{EXCHANGE_VENV}/bin/himari-exchange"

REDIS_CONFIG = "/etc/redis/himari.conf"
REDIS_ACL = "/etc/redis/himari.acl"
FEATURES_CONFIG = "/etc/redis/redis-features.conf"  # where Debian's unit of that instance looks for it
FEATURES_ACL = "/etc/redis/redis-features.acl"
FEATURES_STATE = "/var/lib/redis-features"
FEATURES_CERTIFICATE = f"{TLS}/features.pem"
POSTGRESQL_CONFIG = f"{CONFIG}/postgresql"
POSTGRESQL_STATE = "/var/lib/himari-postgresql"
POSTGRESQL_DATA = f"{POSTGRESQL_STATE}/15"
POSTGRESQL_SOCKET = "/run/himari-postgresql"  # the folder of its Unix socket
ANALYTICS_CERTIFICATE = f"{TLS}/analytics.pem"
NEO4J = f"{VENVS}/neo4j"  # its jars
NEO4J_CONFIG = f"{CONFIG}/neo4j"
NEO4J_STATE = "/var/lib/himari-neo4j"
GRAPH_CERTIFICATE = f"{TLS}/graph.pem"
STORES_SETTINGS = f"{CONFIG}/stores.toml"
KAFKA_CONFIG = f"{CONFIG}/kafka/server.properties"
KAFKA_LOGGING = f"{CONFIG}/kafka/log4j2.properties"
KAFKA_STATE = "/var/lib/himari-kafka"
KAFKA = f"{VENVS}/kafka"
WIREGUARD_INTERFACE = "wg0"
WIREGUARD_CONFIG = f"/etc/wireguard/{WIREGUARD_INTERFACE}.conf"
WIREGUARD_PRIVATE_KEY = "/etc/wireguard/private.key"  # made on the host, never leaves it
WIREGUARD_KEY_MADE = f"{WIREGUARD_PRIVATE_KEY}.himari"  # the public half of the key that first contact made there

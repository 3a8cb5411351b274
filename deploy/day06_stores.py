"""What serves the data and keeps it, and what its readers on the brain need."""

from himari.apply.day import deploy

ROLES = {
    "features": ["redis_features"],
    "analytics": ["postgresql"],
    "graph": ["neo4j"],
    "brain": ["reader"],
}
deploy(__file__, ROLES)

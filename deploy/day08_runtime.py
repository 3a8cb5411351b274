"""What collects, stores and watches; in a lab, the venue itself."""

from himari.apply.day import deploy

ROLES = {
    "edge": ["runtime", "collector", "segments"],
    "brain": ["runtime", "consumer", "deadman"],
    "exchange": ["exchange"],
    "features": ["runtime"],
    "analytics": ["runtime"],
    "graph": ["runtime"],
    "broker": ["runtime"],
}
deploy(__file__, ROLES)

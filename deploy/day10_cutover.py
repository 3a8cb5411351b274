"""What goes on after the cutover: each host looks at itself daily and weekly."""

from himari.apply.day import deploy

ROLES = {
    "edge": ["self_check"],
    "brain": ["self_check"],
    "features": ["self_check"],
    "analytics": ["self_check"],
    "graph": ["self_check"],
    "broker": ["self_check"],
}
deploy(__file__, ROLES)

"""Interrupts off the CPUs that carry the data; exporters that say how host and buffer do."""

from himari.apply.day import deploy

ROLES = {
    "edge": ["irq", "exporters"],
    "brain": ["irq", "exporters"],
    "exchange": ["irq"],
    "features": ["irq", "exporters"],
    "analytics": ["irq", "exporters"],
    "graph": ["irq", "exporters"],
    "broker": ["irq", "exporters"],
}
deploy(__file__, ROLES)

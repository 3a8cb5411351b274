"""The buffer that the brain reads."""

from himari.apply.day import deploy

ROLES = {"edge": ["redis_buffer"]}
deploy(__file__, ROLES)

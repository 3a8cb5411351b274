"""The broker, and with it what it holds: topics, users and their rights follow once it runs."""

from himari.apply.day import deploy

ROLES = {"broker": ["kafka"]}
deploy(__file__, ROLES)

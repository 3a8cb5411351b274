"""Users, ssh, time, kernel settings, security updates: what every host of ours gets first."""

from himari.apply.day import deploy

ROLES = {
    "edge": ["accounts", "sshd", "chrony", "kernel", "upgrades"],
    "brain": ["accounts", "sshd", "chrony", "kernel", "upgrades"],
    "exchange": ["accounts", "sshd", "chrony", "kernel", "upgrades"],
    "features": ["accounts", "sshd", "chrony", "kernel", "upgrades"],
    "analytics": ["accounts", "sshd", "chrony", "kernel", "upgrades"],
    "graph": ["accounts", "sshd", "chrony", "kernel", "upgrades"],
    "broker": ["accounts", "sshd", "chrony", "kernel", "upgrades"],
}
deploy(__file__, ROLES)

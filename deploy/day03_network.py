"""The tunnel between the hosts, the one-way rules, and whom to trust within."""

from himari.apply.day import deploy

ROLES = {
    "edge": ["wireguard", "nftables"],
    "brain": ["wireguard", "nftables", "authority"],
    "exchange": ["nftables"],
    "features": ["wireguard", "nftables", "authority"],
    "analytics": ["wireguard", "nftables", "authority"],
    "graph": ["wireguard", "nftables", "authority"],
    "broker": ["wireguard", "nftables", "authority"],
}
deploy(__file__, ROLES)

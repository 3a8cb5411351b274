"""The tunnel between the hosts and the one-way rules."""

from himari.apply.day import deploy

ROLES = {
    "edge": ["wireguard", "nftables"],
    "brain": ["wireguard", "nftables"],
    "exchange": ["nftables"],
    "features": ["wireguard", "nftables"],
}
deploy(__file__, ROLES)

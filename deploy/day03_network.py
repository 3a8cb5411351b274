"""The tunnel home and the one-way rules."""

from himari.apply.day import deploy

ROLES = {
    "edge": ["wireguard", "nftables"],
    "brain": ["wireguard", "nftables"],
    "exchange": ["nftables"],
}
deploy(__file__, ROLES)

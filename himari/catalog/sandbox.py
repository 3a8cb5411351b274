"""What every service of ours may not do, as lines of a unit."""

from collections.abc import Iterable

# Each unit of ours is below it in `systemd-analyze security`; the services are at 1 to 2.
EXPOSURE_MAX = 3.0

# What no unit of ours needs, whoever it runs as.
_ALL = (
    "NoNewPrivileges=yes",
    "AmbientCapabilities=",
    "ProtectHome=yes",
    "ProtectProc=invisible",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RemoveIPC=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "SystemCallArchitectures=native",
    "SystemCallErrorNumber=EPERM",  # a library that asks for its priority is told no; it is not killed
    "KeyringMode=private",
)
_CLOSED = (
    *_ALL,
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProcSubset=pid",
    "PrivateDevices=yes",
    "PrivateTmp=yes",
    "PrivateUsers=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",  # netlink: getaddrinfo asks for the addresses
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "UMask=0027",
)


def sandbox(reaches: Iterable[str] | None) -> tuple[str, ...]:
    """The lines of a [Service] that may exchange packets with `reaches` (addresses, CIDRs, "localhost") only.

    None stands for any address: who must reach a venue cannot know its addresses."""
    if reaches is None:
        return _CLOSED
    return (*_CLOSED, "IPAddressDeny=any", f"IPAddressAllow={' '.join(reaches)}")


def rooted(*capabilities: str) -> tuple[str, ...]:
    """The lines of a [Service] that is root's, with `capabilities` (CAP_NET_ADMIN) and no others.

    What it may call, open and write beyond that is its unit's own matter."""
    return (*_ALL, f"CapabilityBoundingSet={' '.join(capabilities)}", "UMask=0077")

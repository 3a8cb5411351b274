"""What every service of ours may not do, as lines of a unit."""

from collections.abc import Iterable

# Each unit of ours is below it in `systemd-analyze security`; the services are at 1 to 2.
EXPOSURE_MAX = 3.0

_WRITTEN_IS_NOT_RUN = "MemoryDenyWriteExecute=yes"
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
    _WRITTEN_IS_NOT_RUN,
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


def sandbox(reaches: Iterable[str] | None, *, compiles: bool = False) -> tuple[str, ...]:
    """The lines of a [Service] that may exchange packets with `reaches` (addresses, CIDRs, "localhost") only.

    None stands for any address: who must reach a venue cannot know its addresses. What `compiles` as it runs, as a JVM
    does, writes memory that it executes: the one thing that it may do beyond the others."""
    closed = tuple(line for line in _CLOSED if not (compiles and line == _WRITTEN_IS_NOT_RUN))
    if reaches is None:
        return closed
    return (*closed, "IPAddressDeny=any", f"IPAddressAllow={' '.join(reaches)}")


def rooted(*capabilities: str) -> tuple[str, ...]:
    """The lines of a [Service] that is root's, with `capabilities` (CAP_NET_ADMIN) and no others.

    What it may call, open and write beyond that is its unit's own matter."""
    return (*_ALL, f"CapabilityBoundingSet={' '.join(capabilities)}", "UMask=0077")

"""What every service of ours may not do, as lines of a unit."""

from collections.abc import Iterable

# Bound on `systemd-analyze security`; the services are at 1 to 2.
EXPOSURE_MAX = 3.0

_CLOSED = (
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "PrivateDevices=yes",
    "PrivateTmp=yes",
    "PrivateUsers=yes",
    "RemoveIPC=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",  # netlink: getaddrinfo asks for the addresses
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",  # a library that asks for its priority is told no; it is not killed
    "KeyringMode=private",
    "UMask=0027",
)


def sandbox(reaches: Iterable[str] | None) -> tuple[str, ...]:
    """The lines of a [Service] that may exchange packets with `reaches` (addresses, CIDRs, "localhost") only.

    None stands for any address: who must reach a venue cannot know its addresses."""
    if reaches is None:
        return _CLOSED
    return (*_CLOSED, "IPAddressDeny=any", f"IPAddressAllow={' '.join(reaches)}")

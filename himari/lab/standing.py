"""A lab that is up, as a fault needs it: its names, its record, and a refusal for hosts that it does not have."""

import msgspec

from himari.lab import container, network
from himari.lab.host import HostFiles
from himari.lab.identity import Lab, Record, labs_root, read_record
from himari.stack.errors import HostError
from himari.stack.paths import StateDir


class Standing(msgspec.Struct, frozen=True):
    """One lab on this machine, by what it remembers."""

    lab: Lab
    record: Record
    state: StateDir

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.record.hosts)

    def require(self, *hosts: str) -> None:
        """Raise HostError unless the lab has all of `hosts`."""
        for host in hosts:
            if host not in self.record.hosts:
                expected = f"one of {', '.join(self.record.hosts)}"
                raise HostError("the lab has no such host", host, expected, "himari lab ls")

    def powered(self, host: str) -> bool:
        """Whether `host` runs, be it frozen."""
        return container.init_pid(self.lab, host) is not None

    def require_powered(self, host: str) -> None:
        """Raise HostError unless `host` is one of the lab's and runs."""
        self.require(host)
        if not self.powered(host):
            hint = f"himari lab power-on {host} --stack {self.record.stack}"
            raise HostError("the host is off", host, "a running host", hint)

    def namespace(self, host: str) -> str:
        return self.lab.machine(host)

    def link(self, host: str) -> str:
        """The bridge's end of the host's cable."""
        return self.lab.link(self.record.hosts[host])

    def hardware(self, host: str) -> str:
        """The hardware address of the host's eth0."""
        return network.hardware_address(self.lab, self.record.hosts[host])

    def way(self, source: str, target: str) -> tuple[str, str, str, str]:
        """The namespaces and hardware addresses of two hosts, as `wire` takes them."""
        return self.namespace(source), self.hardware(source), self.namespace(target), self.hardware(target)

    def files(self, host: str) -> HostFiles:
        return HostFiles.of(self.lab, host)


def standing(stack_name: str, state: StateDir | None = None) -> Standing:
    """The lab of a stack of this checkout. Raises HostError when there is none, MachineError for a spoiled record."""
    where = state or StateDir.of(stack_name)
    lab = Lab.of(stack_name, where)
    record = read_record(lab)
    if record is None:
        raise HostError(
            what="the stack has no lab on this machine",
            where=f"{stack_name} ({labs_root()})",
            expected="a lab that was brought up from this checkout",
            hint=f"himari up {stack_name}",
        )
    return Standing(lab, record, where)

"""Bringing a lab up: each step does only what is missing, so that it may be killed after any of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from himari.lab import cgroup, contact, container, disk, host, image, network, reclaim, shaping
from himari.lab.host import HostFiles
from himari.lab.identity import Lab, Record, known_labs, read_record, write_record
from himari.lab.lock import Held, held
from himari.lab.standing import Standing
from himari.stack.errors import HostError
from himari.stack.known import KnownHost
from himari.stack.paths import StateDir

Report = Callable[[str, str], None]  # (host, what it says)
READY_S = 30.0  # a host of this image greets after 2 s; the rest is for a machine that is busy


class LabHostSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A host that the lab shall have."""

    name: str
    disk_gb: int = 0  # of a disk of its own (10^9 bytes), made at its first boot; 0: what this machine has free


class LabSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a stack asks of its lab."""

    stack_name: str
    hosts: tuple[LabHostSpec, ...]
    packages: tuple[str, ...] = ()  # Debian packages whose .debs lie in the image, so that hosts download none

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(spec.name for spec in self.hosts)


class Rise(msgspec.Struct, frozen=True):
    """One `up`, under the lab's lock."""

    lab: Lab
    spec: LabSpec
    state: StateDir
    lock: Held
    report: Report

    def run(self) -> dict[str, KnownHost]:
        """All steps; how each host is reached."""
        if self.lab.hosts.exists() and not self.lab.record.exists():
            self._report_all("clears away what a cut-off destroy left")
            reclaim.everything(self.lab, self.lock)
        self.lab.folder.mkdir(parents=True, exist_ok=True)
        before = read_record(self.lab)
        known = before.hosts if before else {}
        dropped = {name: byte for name, byte in known.items() if name not in self.spec.names}
        reclaim.leftovers(self.lab, dropped, self.lock)
        self._lay_image()
        record = self._network(before)
        met = self._pin_keys(record)
        with ThreadPoolExecutor(max_workers=len(self.spec.names)) as each:
            list(each.map(lambda name: self.raise_host(name, record), self.spec.names))
        return met

    def raise_host(self, name: str, record: Record) -> None:
        """One host: booted unless it runs, then met. Raises HostError when it hangs or does not answer."""
        address = network.addresses(record)[name]
        if cgroup.frozen(container.groups_of(self.lab, name)):
            hint = f"himari lab heal {name} --stack {self.spec.stack_name}"
            raise HostError("the host hangs, and has power", name, "a host that runs or is off", hint)
        if container.supervised(self.lab, name):
            host.tell_neighbours(self._files(name), network.addresses(record))
        else:
            self.report(name, "boots")
            self._boot(name, record)
        self._meet(name, address)
        self.report(name, f"runs at {address}")

    def _lay_image(self) -> None:
        """The image's files in the lab's folder. A lab keeps the image that it began with: its hosts stand on it."""
        if not self.lab.image.exists():
            recipe = image.recipe(self.spec.packages)
            archive = image.ensure(recipe, self.lab.id, self._enter_build, self.lock, self._report_all)
            self._report_all("unpacks the image")
            image.unpack(archive, self.lab.image, self.lock)

    def _network(self, before: Record | None) -> Record:
        """The bridge and an address range of the lab's own, which changes only while the bridge is down."""
        with held(network.machine_lock()):
            subnet = before.subnet if before else ""
            if not subnet or self.lab.bridge not in network.links(self.lab.id):
                others = (record.subnet for lab, record in known_labs() if lab != self.lab)
                subnet = network.choose_subnet((*others, *network.routed(self.lock)), subnet)
            hosts = network.number_hosts(self.spec.names, before.hosts if before else {})
            home = str(self.state.path.resolve())
            record = Record(stack=self.spec.stack_name, state=home, subnet=subnet, hosts=hosts)
            if record != before:
                write_record(self.lab, record)
            network.make_bridge(self.lock, self.lab, subnet)
            network.forward()
        return record

    def _pin_keys(self, record: Record) -> dict[str, KnownHost]:
        host.make_key(self._operator_key, f"himari {self.spec.stack_name}", self.lock)
        for name in self.spec.names:
            host.make_key(self._files(name).key, name, self.lock)
        addresses = network.addresses(record)
        keys = {name: self._files(name).public_key() for name in self.spec.names}
        before = self._pins.read_text() if self._pins.exists() else ""
        host.put(self._pins, contact.known_hosts(before, addresses, keys), 0o600)
        return {name: KnownHost(address=addresses[name], ssh_host_key=keys[name]) for name in self.spec.names}

    def _boot(self, name: str, record: Record) -> None:
        lab, files, byte = self.lab, self._files(name), record.hosts[name]
        reclaim.host(lab, name, byte, self.lock)
        network.plug(self.lock, lab, lab.machine(name), record.subnet, byte)
        shaping.restore(Standing(lab, record, self.state), name, self.lock)
        disk.provide(files, self._disk_gb(name), self.lock)
        with disk.eased(files):
            host.mount(files, lab.image, lab.machine(name), self.lock)
            if not files.met.exists():
                host.introduce(files, name, self._operator_key.with_suffix(".pub").read_text())
            host.tell_neighbours(files, network.addresses(record))
        container.start(lab, name, files.root, self.lock)

    def _disk_gb(self, name: str) -> int:
        return next(spec.disk_gb for spec in self.spec.hosts if spec.name == name)

    def _meet(self, name: str, address: str) -> None:
        """Who may log in is the deployment's business from the second time on: then the greeting is enough."""
        files = self._files(name)
        contact.await_banner(name, address, files.console, READY_S)
        if not files.met.exists():
            contact.log_in(name, address, self._operator_key, self._pins)
            files.met.touch()

    def _enter_build(self, argv: Sequence[str]) -> tuple[str, ...]:
        return container.scope_argv(self.lab, argv, self.lock.descriptor, container.systemd_runs())

    def _report_all(self, says: str) -> None:
        for name in self.spec.names:
            self.report(name, says)

    def _files(self, name: str) -> HostFiles:
        return HostFiles.of(self.lab, name)

    @property
    def _operator_key(self) -> Path:
        return self.state.ssh / "id_ed25519"

    @property
    def _pins(self) -> Path:
        return self.state.ssh / "known_hosts"

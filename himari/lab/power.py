"""A host's power. Off means that nothing of it says another word: its cable goes first, then its processes."""

from himari.lab import container, network
from himari.lab.lock import Held
from himari.lab.rise import LabHostSpec, LabSpec, Rise
from himari.lab.standing import Standing


def off(on: Standing, host: str, under: Held) -> None:
    """Cut the power of `host` and return once no process of it is left; its files stay as they were."""
    on.require(host)
    if on.link(host) in network.links(on.lab.id):
        under.run(("ip", "link", "set", on.link(host), "down"))
    container.power_off(on.lab, host)


def on_again(on: Standing, host: str, under: Held) -> None:
    """Boot a host that is off and wait for its ssh; one that runs is left alone.

    It comes back with all its memory, and with the faults of its cables and its disk that were in force before.
    Raises HostError when it hangs or does not answer."""
    on.require(host)
    spec = LabSpec(stack_name=on.record.stack, hosts=(LabHostSpec(name=host),))
    Rise(on.lab, spec, on.state, under, lambda _host, _says: None).raise_host(host, on.record)

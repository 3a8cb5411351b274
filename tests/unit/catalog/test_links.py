"""What follows from flows that components name; the shipped stacks show the rest."""

import msgspec

from himari.catalog.component import Component, Flow, Listener, Place, View
from himari.catalog.links import Links
from himari.stack.load import load_stack
from himari.stack.model import Role

SERVED = Listener(name="store", port=7000, place=Place.WIREGUARD)
CALLER = Component(name="caller", talks_to=(Flow(role=Role.FEATURES, listener="store"),))
LINKS = Links(
    view=View(stack=load_stack("lab"), host_name="edge"),
    parts={"edge": (CALLER,), "core": (Component(name="store", listens_on=(SERVED,)),), "brain": ()},
)


def test_a_flow_is_accepted_at_one_end_and_opened_at_the_other() -> None:
    (accepted,) = LINKS.accepted("core")
    (opened,) = LINKS.opened("edge")
    assert (accepted.listener, accepted.callers, accepted.tunnel) == (SERVED, ("edge",), True)
    assert (opened.listener, opened.targets) == (SERVED, ("core",))
    assert LINKS.opened("core") == LINKS.opened("brain") == ()


def test_both_ends_of_a_flow_are_neighbours() -> None:
    assert (LINKS.neighbours("edge"), LINKS.neighbours("core"), LINKS.neighbours("brain")) == (("core",), ("edge",), ())


def test_what_stays_on_a_host_makes_no_neighbours() -> None:
    loopback = msgspec.structs.replace(SERVED, place=Place.LOOPBACK)
    alone = msgspec.structs.replace(
        LINKS, parts=LINKS.parts | {"core": (Component(name="store", listens_on=(loopback,)),)}
    )
    assert alone.neighbours("core") == ()

"""What strategies on the brain read the stores by: it names what is there, and its credentials work."""

import tomllib

from himari.catalog.hostpaths import STORES_SETTINGS
from himari.catalog.stores import stores
from himari.proof.checks import Case, Observed, check
from himari.proof.probe import Probe


@check("reader.names", "the readers' settings name each store of the stack, where it is")
def test_names(case: Case, probe: Probe, observed: Observed) -> None:
    said = tomllib.loads(probe.raw.texts[STORES_SETTINGS] or "")
    held = {name: (one["host"], one["port"], one["user"]) for name, one in said.items() if isinstance(one, dict)}
    observed([f"{name} {host}:{port} as {user}" for name, (host, port, user) in held.items()])
    assert held == {one.name: (one.host, one.port, one.user) for one in stores(case.view)}

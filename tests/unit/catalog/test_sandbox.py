"""Each unit that we ship is bounded: nobody adds one that is not."""

import pytest

from himari.catalog.component import View
from himari.catalog.host import components
from himari.catalog.hostpaths import UNITS
from himari.catalog.sandbox import EXPOSURE_MAX, rooted, sandbox
from himari.stack.load import load_stack
from himari.stack.paths import INVENTORIES

PLACES = [(path.stem, host) for path in INVENTORIES.glob("*.toml") for host in load_stack(path.stem).hosts]


@pytest.mark.parametrize(("stack_name", "host"), sorted(PLACES), ids="-".join)
def test_each_service_that_we_configure_has_its_exposure_bounded(stack_name: str, host: str) -> None:
    parts = [part for _, part in components(View(stack=load_stack(stack_name), host_name=host))]
    files = (file.path.removeprefix(f"{UNITS}/") for part in parts for file in part.files)
    ours = {path.partition(".d/")[0] for path in files if ".service" in path and not path.startswith("/")}
    bounds = {unit.name: unit.exposure_max for part in parts for unit in part.units}
    assert ours
    assert {name: bounds.get(name) for name in ours} == dict.fromkeys(ours, EXPOSURE_MAX)


def test_what_is_roots_keeps_the_capabilities_that_it_names_and_no_others() -> None:
    lines = rooted("CAP_NET_ADMIN", "CAP_SYS_ADMIN")
    assert "CapabilityBoundingSet=CAP_NET_ADMIN CAP_SYS_ADMIN" in lines
    assert "NoNewPrivileges=yes" in lines


def test_a_service_reaches_only_whom_it_names() -> None:
    assert sandbox(["localhost"])[-2:] == ("IPAddressDeny=any", "IPAddressAllow=localhost")
    assert "CapabilityBoundingSet=" in sandbox(None)


def test_what_compiles_as_it_runs_is_let_off_one_line_alone() -> None:
    assert set(sandbox(["localhost"])) - set(sandbox(["localhost"], compiles=True)) == {"MemoryDenyWriteExecute=yes"}

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari.catalog import segments
from himari.catalog.component import View
from himari.stack.sizes import catch_up_bytes_per_s
from himari_runtime.settings import SegmentsSettings, load
from tests.unit.catalog import units

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
SETTINGS = "/etc/himari/segments.toml"
UNIT = "/etc/systemd/system/himari-segments.service"


@pytest.mark.parametrize("stack", ["lab-edge", "vps-brain"])
def test_the_runtime_reads_its_settings(rendered: Render, view: Shipped, tmp_path: Path, stack: str) -> None:
    edge = view(stack, "edge")
    path = tmp_path / "segments.toml"
    path.write_text(rendered("segments", edge).files[SETTINGS])
    said = load(path, SegmentsSettings)
    assert (said.listen.address, said.listen.port) == ("10.77.0.1", 9466)
    assert (said.metrics.address, said.metrics.port) == ("10.77.0.1", 9467)
    assert said.journal.path == Path("/var/lib/himari/journal")
    assert said.journal.bytes_per_s == catch_up_bytes_per_s(edge.stack)


def test_it_is_a_user_of_its_own_in_the_journals_group_and_writes_nowhere(
    rendered: Render, view: Shipped, tmp_path: Path
) -> None:
    server = rendered("segments", view("lab-edge", "edge"))
    (unit,) = server.component.units
    (user,) = server.component.users
    said = units.lines(server.files[UNIT])
    assert units.exposure(tmp_path, unit.name, server.files[UNIT]) < unit.exposure_max <= 3
    assert {f"User={user.name}", "SupplementaryGroups=himari-collector", "ProtectSystem=strict"} <= set(said)
    assert not any(line.startswith(("StateDirectory", "LoadCredential", "ReadWritePaths=/")) for line in said)
    assert {"IPAddressDeny=any", "IPAddressAllow=localhost 10.77.0.0/24", "KillMode=control-group"} <= set(said)
    assert "InaccessiblePaths=-/etc/himari/collector.toml" in said  # the group could read it
    assert user.groups == ()  # what else runs as this user is not in the journal's group


def test_it_holds_no_secret_and_is_found_in_the_tunnel_alone(view: Shipped) -> None:
    component = segments.component(view("lab-edge", "edge"))
    assert component.credentials == ()
    assert {(one.name, one.port, str(one.place)) for one in component.listens_on} == {
        ("segments", 9466, "wireguard"),
        ("segments-metrics", 9467, "wireguard"),
    }


def test_a_narrower_link_gives_a_lower_rate(rendered: Render, view: Shipped) -> None:
    edge = view("lab-edge", "edge")
    network = msgspec.structs.replace(edge.stack.network, link_bytes_per_s=500_000.0)
    narrow = msgspec.structs.replace(edge, stack=msgspec.structs.replace(edge.stack, network=network))
    rates = [rendered("segments", one).files[SETTINGS].split("bytes_per_s = ")[1].split()[0] for one in (narrow, edge)]
    assert int(rates[0]) < int(rates[1]) < edge.stack.network.link_bytes_per_s

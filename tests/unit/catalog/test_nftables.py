import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from himari.catalog.component import Feed, View
from himari.stack.model import Access

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]
RULES = "/etc/himari/firewall.nft"
FALLBACK = "/etc/himari/firewall-closed.nft"
UNIT = "/etc/systemd/system/himari-firewall.service"
PLACES = [
    ("lab-edge", "exchange"),
    ("lab-edge", "edge"),
    ("lab-edge", "brain"),
    ("lab", "core"),
    ("vps-brain", "edge"),
    ("vps-brain", "brain"),
]


def lines(rendered: Render, view: View) -> list[str]:
    return [line.strip() for line in rendered("nftables", view).files[RULES].splitlines()]


@pytest.mark.parametrize(("stack", "host"), PLACES, ids="-".join)
def test_nft_accepts_the_rules(rendered: Render, view: Shipped, tmp_path: Path, stack: str, host: str) -> None:
    path = tmp_path / "firewall.nft"
    path.write_text(rendered("nftables", view(stack, host)).files[RULES])
    # A namespace of its own: without the right to look at the real one, nft cannot check.
    checked = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "nft", "-c", "-f", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(("stack", "host"), PLACES, ids="-".join)
def test_other_tables_are_left_alone(rendered: Render, view: Shipped, stack: str, host: str) -> None:
    said = lines(rendered, view(stack, host))
    assert not any(line.startswith("flush") for line in said)
    assert {line for line in said if line.startswith("delete")} == {"delete table inet himari"}


def test_the_edge_answers_the_brain_and_never_calls(rendered: Render, view: Shipped) -> None:
    said = lines(rendered, view("lab-edge", "edge"))
    accepts = [line for line in said if line.startswith('iifname "wg0" ip saddr')]
    assert [line.split("dport ")[1].split()[0] for line in accepts] == [
        "6379",
        "9100",
        "9121",
        "9464",
        "9466",
        "9467",
        "22",
    ]
    assert all("ip saddr { 10.77.0.2 }" in line for line in accepts)
    assert 'oifname "wg0" counter reject with icmpx type admin-prohibited' in said
    assert said.index(accepts[-1]) < said.index('iifname "wg0" counter drop')


def test_the_brain_accepts_nothing_new_over_the_tunnel(rendered: Render, view: Shipped) -> None:
    said = lines(rendered, view("lab-edge", "brain"))
    assert not any(line.startswith('iifname "wg0" ip saddr') for line in said)
    assert 'iifname "wg0" counter drop' in said
    assert not any(line.startswith('oifname "wg0"') for line in said)
    elsewhere = 'oifname != { "lo", "wg0" } ip daddr 10.77.0.0/24 counter reject with icmpx type admin-prohibited'
    assert elsewhere in said


def test_a_store_answers_the_brain_and_calls_nobody(rendered: Render, view: Shipped) -> None:
    said = lines(rendered, view("lab", "core"))
    accepts = [line for line in said if line.startswith('iifname "wg0" ip saddr')]
    ports = [line.split("dport ")[1].split()[0] for line in accepts]
    assert ports == ["6380", "5432", "7687", "9100", "9121", "9187", "9092", "22"]
    assert all("ip saddr { 10.77.0.2 }" in line for line in accepts)
    assert not any(line.startswith('oifname "wg0" ip daddr') for line in said)


def test_on_the_users_own_machine_only_the_tunnel_is_judged(rendered: Render, view: Shipped) -> None:
    said = lines(rendered, view("vps-brain", "brain"))
    rules = [line for line in said if line.endswith(("accept", "drop"))]
    assert rules
    assert all('"wg0"' in line for line in rules)
    assert sum("policy accept" in line for line in said) == sum("policy" in line for line in said)


def test_the_exchange_is_there_for_the_edge_alone(rendered: Render, view: Shipped) -> None:
    said = lines(rendered, view("lab-edge", "exchange"))
    assert 'ip saddr { 10.200.7.3 } tcp dport 9443 accept comment "venue"' in said
    live = lines(rendered, view("lab-edge", "exchange", Feed(live=True)))
    assert not any("dport 9443" in line for line in live)


def test_ssh_is_accepted_from_the_stacks_networks_at_a_bounded_rate(rendered: Render, view: Shipped) -> None:
    edge = view("vps-brain", "edge")
    access = Access(ssh_from=("198.51.100.0/24", "2001:db8::/32"))
    said = lines(rendered, msgspec.structs.replace(edge, stack=msgspec.structs.replace(edge.stack, access=access)))
    assert "ip saddr { 198.51.100.0/24 } tcp dport 22 jump ssh" in said
    assert "ip6 saddr { 2001:db8::/32 } tcp dport 22 jump ssh" in said
    assert sum("limit rate over 60/minute" in line for line in said) == 2


def test_a_change_is_checked_guarded_and_reloaded(rendered: Render, view: Shipped) -> None:
    component = rendered("nftables", view("lab-edge", "edge")).component
    rules = component.files[0]
    assert rules.check == ("/usr/sbin/nft", "-c", "-f", "{}")
    assert rules.guard == "nftables"
    assert component.units[0].reload


def started(text: str, files: dict[str, Path]) -> str:
    """The ruleset after systemd ran what the unit `text` says on start, with `files` in place of the host's.

    In a network of its own; a command without a leading minus that fails ends the start."""
    commands = [line.partition("=")[2] for line in text.splitlines() if line.startswith("ExecStart=")]
    for path, stand_in in files.items():
        commands = [re.sub(rf"{re.escape(path)}$", str(stand_in), command) for command in commands]
    script = " && ".join(f"{{ {line[1:]} || true; }}" if line.startswith("-") else line for line in commands)
    argv = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", f"{{ {script}; }} 2>&1; nft list ruleset"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("stack", "host"), PLACES, ids="-".join)
def test_rules_that_cannot_be_loaded_leave_the_host_closed_but_for_the_operator(
    rendered: Render, view: Shipped, tmp_path: Path, stack: str, host: str
) -> None:
    there = view(stack, host)
    texts = rendered("nftables", there).files
    files = {path: tmp_path / Path(path).name for path in (RULES, FALLBACK)}
    files[FALLBACK].write_text(texts[FALLBACK])
    files[RULES].write_text(texts[RULES][:-20])
    closed = started(texts[UNIT], files)
    if there.host.existing:
        assert 'iifname "wg0" counter' in closed
    else:
        assert "hook input priority filter; policy drop" in closed
        assert "tcp dport 22 accept" in closed
    assert not re.search(r"dport (6379|9464|9443|51820)", closed)
    files[RULES].write_text(texts[RULES])
    assert started(texts[UNIT], files) == started(texts[UNIT].replace("ExecStart=-", "Unused="), files)


def test_a_host_whose_rules_did_not_load_has_a_failed_unit(rendered: Render, view: Shipped) -> None:
    unit = rendered("nftables", view("lab-edge", "edge")).files[UNIT].splitlines()
    assert f"ExecStart=/usr/sbin/nft -f {RULES}" in unit  # without a minus, which would make its failure a success

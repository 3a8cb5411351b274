from collections.abc import Callable
from typing import Any

from himari.catalog.component import View

Render = Callable[[str, View], Any]
Shipped = Callable[..., View]


def test_the_operators_user_logs_in_and_runs_one_program_as_root(rendered: Render, view: Shipped) -> None:
    accounts = rendered("accounts", view("lab-edge", "edge"))
    (user,) = accounts.component.users
    assert (user.name, user.login, user.sudo) == ("himari", True, True)
    rules = [line for line in accounts.files["/etc/sudoers.d/himari"].splitlines() if not line.startswith("#")]
    assert rules == ["himari ALL=(root) NOPASSWD: /usr/local/sbin/himari-agent"]
    assert accounts.component.files[1].path == "/usr/local/sbin/himari-agent"


def test_sudoers_is_checked_before_it_counts(rendered: Render, view: Shipped) -> None:
    files = {file.path: file for file in rendered("accounts", view("lab-edge", "edge")).component.files}
    sudoers = files["/etc/sudoers.d/himari"]
    assert sudoers.mode == 0o440
    assert sudoers.check[0] == "/usr/sbin/visudo"


def test_the_journal_takes_one_percent_of_the_disk(rendered: Render, view: Shipped) -> None:
    journald = "/etc/systemd/journald.conf.d/himari.conf"
    assert "SystemMaxUse=800M\n" in rendered("accounts", view("vps-brain", "edge")).files[journald]
    assert "SystemMaxUse=200M\n" in rendered("accounts", view("lab-edge", "edge")).files[journald]

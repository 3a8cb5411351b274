"""What the tests of encrypted secrets share: sops and age themselves, with a key and folders of the test's own."""

import shutil
import sys
from pathlib import Path

import pytest

SOPS = Path(sys.prefix) / "sops"


def keep(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Key, secrets and state below `folder`; the test fails when this machine lacks a program."""
    monkeypatch.setenv("PATH", str(SOPS), prepend=":")
    for name in ("sops", "age-keygen"):
        assert shutil.which(name), f"{name} is missing: `make test` installs it"
    for name in ("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD"):
        monkeypatch.delenv(name, raising=False)
    places = {"HOME": "home", "XDG_CONFIG_HOME": "config", "HIMARI_SECRETS": "kept", "HIMARI_STATE": "state"}
    for name, place in places.items():
        monkeypatch.setenv(name, str(folder / place))

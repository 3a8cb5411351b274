import shutil
import subprocess
from pathlib import Path

import pytest

from himari.apply.agent import credentials
from himari.apply.agent.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(run=tmp_path / "run", etc=tmp_path / "etc", credstore=tmp_path / "credstore")


def decrypted(name: str, places: Places) -> str:
    argv = ["systemd-creds", "decrypt", f"--name={name}", str(places.credstore / name), "-"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_a_credential_is_encrypted_and_recognised_by_its_value(places: Places) -> None:
    credentials.put("redis-pusher", "s3cret", places)
    assert credentials.matching({"redis-pusher": "s3cret", "other": "s3cret"}, places) == ["redis-pusher"]
    assert credentials.matching({"redis-pusher": "another"}, places) == []
    assert decrypted("redis-pusher", places) == "s3cret"


def test_no_file_holds_the_value_and_the_key_is_closed(places: Places) -> None:
    credentials.put("redis-pusher", "s3cret", places)
    files = [path for folder in (places.etc, places.credstore) for path in folder.iterdir()]
    assert len(files) == 3
    assert all(b"s3cret" not in path.read_bytes() for path in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_a_credential_whose_file_is_gone_does_not_match(places: Places) -> None:
    credentials.put("redis-pusher", "s3cret", places)
    shutil.rmtree(places.credstore)
    assert credentials.matching({"redis-pusher": "s3cret"}, places) == []


def test_a_host_without_a_key_has_no_credentials(places: Places) -> None:
    assert credentials.matching({"redis-pusher": ""}, places) == []

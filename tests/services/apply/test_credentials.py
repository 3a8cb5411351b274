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


def test_an_altered_credential_does_not_match(places: Places) -> None:
    credentials.put("redis-pusher", "s3cret", places)
    path = places.credstore / "redis-pusher"
    path.write_bytes(path.read_bytes()[:-8] + b"altered\n")
    assert credentials.matching({"redis-pusher": "s3cret"}, places) == []


def test_credentials_that_were_swapped_do_not_match(places: Places) -> None:
    values = {"redis-pusher": "s3cret", "redis-reader": "an0ther"}
    for name, value in values.items():
        credentials.put(name, value, places)
    pusher, reader = (places.credstore / name for name in values)
    kept = pusher.read_bytes()
    pusher.write_bytes(reader.read_bytes())
    reader.write_bytes(kept)
    assert credentials.matching(values, places) == []


@pytest.mark.parametrize("spoiled", [b"", b"{", b"\xff\xfe", b"[1]", b'{"redis-pusher": 3}'])
def test_what_was_noted_and_cannot_be_read_counts_as_never_noted(places: Places, spoiled: bytes) -> None:
    credentials.put("redis-pusher", "s3cret", places)
    places.credential_marks.write_bytes(spoiled)
    assert credentials.matching({"redis-pusher": "s3cret"}, places) == []
    credentials.put("redis-pusher", "s3cret", places)
    assert credentials.matching({"redis-pusher": "s3cret"}, places) == ["redis-pusher"]


def test_a_key_that_was_cut_short_is_made_anew(places: Places) -> None:
    credentials.put("redis-pusher", "s3cret", places)
    places.credential_key.chmod(0o600)
    places.credential_key.write_bytes(b"")
    assert credentials.matching({"redis-pusher": "s3cret"}, places) == []
    credentials.put("redis-pusher", "s3cret", places)
    assert len(places.credential_key.read_bytes()) == 32
    assert credentials.matching({"redis-pusher": "s3cret"}, places) == ["redis-pusher"]

import contextlib
import datetime
import shutil
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from himari.stack.paths import StateDir
from himari.vault.authority import Authority, Issued, Use, ends
from himari.vault.secrets import NOT_MADE

NAMES = ("10.0.0.2", "exchange.lab")


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "lab")


@pytest.fixture
def authority(state: StateDir) -> Authority:
    return Authority.open(state)


def shake_hands(client: ssl.SSLObject, server: ssl.SSLObject, wires: tuple[ssl.MemoryBIO, ...]) -> None:
    to_client, from_client, to_server, from_server = wires
    for _ in range(4):
        for end in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
            to_server.write(from_client.read())
            to_client.write(from_server.read())


def connect(issued: Issued, trusted: str, name: str, folder: Path) -> str | None:
    """The TLS version that a client trusting `trusted` agrees on with a server that shows `issued`."""
    (folder / "server.pem").write_text(issued.certificate + issued.key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "server.pem")
    asking = ssl.create_default_context(cadata=trusted)
    wires = tuple(ssl.MemoryBIO() for _ in range(4))
    client = asking.wrap_bio(wires[0], wires[1], server_hostname=name)
    server = serving.wrap_bio(wires[2], wires[3], server_side=True)
    shake_hands(client, server, wires)
    return client.version()


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_the_authority_accepts_the_server(authority: Authority, tmp_path: Path, name: str) -> None:
    issued = authority.issue("exchange", NAMES)
    assert connect(issued, authority.certificate, name, tmp_path) == "TLSv1.3"


def test_another_name_and_another_authority_are_refused(authority: Authority, tmp_path: Path) -> None:
    issued = authority.issue("exchange", NAMES)
    other = Authority.open(StateDir(tmp_path / "other"))
    with pytest.raises(ssl.SSLCertVerificationError, match=r"10\.0\.0\.3"):
        connect(issued, authority.certificate, "10.0.0.3", tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(issued, other.certificate, "10.0.0.2", tmp_path)


def test_a_certificate_is_kept_until_thirty_days_before_its_end(authority: Authority) -> None:
    first = authority.issue("exchange", NAMES)
    end = x509.load_pem_x509_certificate(first.certificate.encode()).not_valid_after_utc
    assert authority.issue("exchange", reversed(NAMES)) == first
    assert authority.issue("exchange", NAMES, now=end - datetime.timedelta(days=31)) == first
    assert authority.issue("exchange", NAMES, now=end - datetime.timedelta(days=29)) != first


def test_new_names_and_a_new_authority_make_a_new_certificate(state: StateDir, authority: Authority) -> None:
    first = authority.issue("exchange", NAMES)
    renamed = authority.issue("exchange", ("10.0.0.9",))
    assert renamed != first
    for path in authority.folder.glob("ca.*"):
        path.unlink()
    again = Authority.open(state)
    assert again.issue("exchange", ("10.0.0.9",)) != renamed


def test_the_authority_is_made_once_and_lives_ten_years(state: StateDir, authority: Authority) -> None:
    certificate = x509.load_pem_x509_certificate(authority.certificate.encode())
    assert Authority.open(state).certificate == authority.certificate
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc > datetime.timedelta(days=3649)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_keys_are_closed_and_never_shown(authority: Authority) -> None:
    issued = authority.issue("exchange", NAMES)
    modes = {path.stat().st_mode & 0o777 for path in authority.folder.iterdir()}
    assert modes == {0o600}
    assert authority.folder.stat().st_mode & 0o777 == 0o700
    assert "PRIVATE" not in repr(issued)


def test_a_lost_key_is_made_anew(authority: Authority) -> None:
    first = authority.issue("exchange", NAMES)
    (authority.folder / "exchange.key").unlink()
    assert authority.issue("exchange", NAMES).key != first.key
    shutil.rmtree(authority.folder)
    with pytest.raises(FileNotFoundError):
        authority.issue("exchange", NAMES)


def test_a_look_issues_and_renews_nothing(state: StateDir) -> None:
    look = Authority.open(state, makes=False)
    assert look.certificate == look.issue("exchange", NAMES).certificate == NOT_MADE
    assert not state.path.exists()
    issued = Authority.open(state).issue("exchange", NAMES)
    assert look.issue("exchange", NAMES) == issued
    assert look.issue("exchange", ("10.0.0.3",)).key == NOT_MADE
    assert Authority.open(state).issue("exchange", NAMES) == issued


def purposes(issued: Issued) -> set[str]:
    shown = x509.load_pem_x509_certificate(issued.certificate.encode())
    return {use.dotted_string for use in shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value}


def test_a_certificate_is_good_for_its_use_alone(authority: Authority) -> None:
    serving = purposes(authority.issue("exchange", NAMES))
    calling = purposes(authority.visitor("operator"))
    assert len(serving) == len(calling) == 1
    assert purposes(authority.issue("broker", NAMES, use=Use.BOTH)) == serving | calling
    assert not serving & calling


def test_another_use_makes_a_new_certificate(authority: Authority) -> None:
    first = authority.issue("broker", NAMES)
    both = authority.issue("broker", NAMES, use=Use.BOTH)
    assert both != first
    assert authority.issue("broker", NAMES, use=Use.BOTH) == both


def test_a_visitor_is_known_by_name_for_half_a_day_and_its_key_is_on_no_disk(authority: Authority) -> None:
    before = set(authority.folder.iterdir())
    issued = authority.visitor("operator")
    shown = x509.load_pem_x509_certificate(issued.certificate.encode())
    assert shown.subject.rfc4514_string() == "CN=operator"
    assert shown.not_valid_after_utc - datetime.datetime.now(datetime.UTC) < datetime.timedelta(hours=13)
    shown.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate.encode()))
    assert set(authority.folder.iterdir()) == before
    assert issued != authority.visitor("operator")


def test_a_visitor_is_let_in_by_who_trusts_the_authority_and_a_server_is_not(
    authority: Authority, tmp_path: Path
) -> None:
    assert admitted(authority.visitor("operator"), authority, tmp_path)
    assert not admitted(authority.issue("exchange", NAMES), authority, tmp_path)
    assert admitted(authority.issue("broker", NAMES, use=Use.BOTH), authority, tmp_path)


def admitted(caller: Issued, authority: Authority, folder: Path) -> bool:
    """Whether a server that asks callers for a certificate lets `caller` in."""
    issued = authority.issue("exchange", NAMES)
    (folder / "server.pem").write_text(issued.certificate + issued.key)
    (folder / "caller.pem").write_text(caller.certificate + caller.key)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=authority.certificate)
    serving.verify_mode = ssl.CERT_REQUIRED
    serving.load_cert_chain(folder / "server.pem")
    asking = ssl.create_default_context(cadata=authority.certificate)
    asking.load_cert_chain(folder / "caller.pem")
    wires = tuple(ssl.MemoryBIO() for _ in range(4))
    client = asking.wrap_bio(wires[0], wires[1], server_hostname=NAMES[0])
    server = serving.wrap_bio(wires[2], wires[3], server_side=True)
    try:
        shake_hands(client, server, wires)
    except ssl.SSLCertVerificationError:
        return False
    return server.getpeercert() is not None


def days(count: float) -> datetime.timedelta:
    return datetime.timedelta(days=count)


def test_the_authority_is_renewed_with_its_key_before_any_server_could_outlive_it(
    state: StateDir, authority: Authority, tmp_path: Path
) -> None:
    end = datetime.datetime.fromtimestamp(ends(authority.certificate), datetime.UTC)
    first, key = authority.certificate, (authority.folder / "ca.key").read_bytes()
    assert Authority.open(state, now=end - days(396)).certificate == first
    before = authority.issue("exchange", NAMES, now=end - days(395.5))
    renewed = Authority.open(state, now=end - days(394))
    assert renewed.certificate != first
    assert ends(renewed.certificate) > ends(first)
    assert (authority.folder / "ca.key").read_bytes() == key
    assert renewed.issue("exchange", NAMES, now=end - days(394)) == before


def test_who_trusts_the_old_or_the_renewed_authority_accepts_what_either_vouched_for(
    state: StateDir, authority: Authority, tmp_path: Path
) -> None:
    old, before = authority.certificate, authority.issue("exchange", NAMES)
    made = datetime.datetime.fromtimestamp(ends(old), datetime.UTC) - days(3650)
    # Renewed as of today: an authority that was made long ago has a year left.
    stale = Authority.open(StateDir(tmp_path / "stale"), now=made - days(3300))
    first, shown = stale.certificate, stale.issue("exchange", NAMES)
    renewed = Authority.open(StateDir(tmp_path / "stale"))
    renewed.forget("exchange")
    after = renewed.issue("exchange", NAMES)
    assert renewed.certificate != first
    for trusted in (first, renewed.certificate):
        for issued in (shown, after):
            assert connect(issued, trusted, "exchange.lab", tmp_path) == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(before, renewed.certificate, "exchange.lab", tmp_path)


def test_a_server_that_is_forgotten_gets_another_key(authority: Authority) -> None:
    first = authority.issue("exchange", NAMES)
    authority.forget("exchange")
    assert authority.issue("exchange", NAMES).key != first.key


def test_what_is_not_made_has_no_end() -> None:
    assert ends(NOT_MADE) == 0

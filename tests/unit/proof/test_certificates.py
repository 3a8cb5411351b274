"""What a TLS server shows, seen on a real one."""

import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from himari.proof.certificates import SSL_REQUEST, read, served
from himari.stack.paths import StateDir
from himari.vault.authority import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(StateDir(tmp_path / "tokyo"))


@pytest.fixture
def port(authority: Authority, tmp_path: Path) -> Iterator[int]:
    issued = authority.issue("features", ["127.0.0.1", "core"])
    both = tmp_path / "both.pem"
    both.write_text(issued.certificate + issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_whom_it_is_for_and_how_long(authority: Authority, port: int) -> None:
    shown = served("127.0.0.1", port, authority.certificate_file)
    assert set(shown.names) == {"127.0.0.1", "core"}
    assert 364 < shown.days_left <= 365


def test_a_certificate_of_another_authority_is_refused(port: int, tmp_path: Path) -> None:
    other = Authority.open(StateDir(tmp_path / "osaka"))
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        served("127.0.0.1", port, other.certificate_file)


def test_one_that_is_for_another_name_is_refused(authority: Authority, port: int) -> None:
    with pytest.raises(ssl.SSLError, match=r"Hostname mismatch|not valid for"):
        served("localhost", port, authority.certificate_file)


def test_the_authoritys_own_names_nobody(authority: Authority) -> None:
    own = read(authority.certificate_file.read_bytes())
    assert own.names == ()
    assert own.days_left > 3000


def test_who_refuses_tls_before_it_begins_shows_none(authority: Authority) -> None:
    def refuse() -> None:
        with server.accept()[0] as caller:
            caller.sendall(b"N")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(OSError, match="answers b'N' to who asks for TLS"):
            served("127.0.0.1", server.getsockname()[1], authority.certificate_file, opening=SSL_REQUEST)
        thread.join()

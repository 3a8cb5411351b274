"""Certificates as those who meet them see them."""

import socket
import ssl
import struct
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509

SECONDS = 5.0
DAY_S = 86_400
SSL_REQUEST = (struct.pack("!ii", 8, 80877103), b"S")  # how TLS begins with a PostgreSQL, and that it may


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a certificate is for, and for how long it is good."""

    names: tuple[str, ...]
    days_left: float

    def __str__(self) -> str:
        return f"{', '.join(self.names) or 'nobody'}, {self.days_left:.0f} days left"


def served(address: str, port: int, ca_file: Path, *, opening: tuple[bytes, bytes] = (b"", b"")) -> Certificate:
    """What a TLS server shows to who trusts `ca_file` alone and expects `address`.

    `opening`: what is said before TLS begins, and what it answers to that. Raises OSError (also ssl.SSLError) when it
    shows none, or one that is not good."""
    context = ssl.create_default_context(cafile=str(ca_file))
    asks, answer = opening
    with socket.create_connection((address, port), SECONDS) as plain:
        plain.sendall(asks)
        if answer and (said := plain.recv(len(answer))) != answer:
            raise OSError(f"{address}:{port} answers {said!r} to who asks for TLS")
        with context.wrap_socket(plain, server_hostname=address) as wrapped:
            return read(wrapped.getpeercert(binary_form=True) or b"")


def read(encoded: bytes) -> Certificate:
    """A certificate in DER or PEM. Raises ValueError when it is none."""
    load = x509.load_pem_x509_certificate if encoded.startswith(b"-----") else x509.load_der_x509_certificate
    certificate = load(encoded)
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    return Certificate(names=_names(certificate), days_left=left.total_seconds() / DAY_S)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names)

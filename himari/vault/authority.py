"""The stack's certificate authority: a key that never leaves the operator's machine, and whom it vouches for."""

import datetime
import ipaddress
import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from himari.stack.paths import StateDir
from himari.vault.secrets import NOT_MADE

_CA_LIFE = datetime.timedelta(days=3650)
_SERVER_LIFE = datetime.timedelta(days=365)
_RENEW_BEFORE = datetime.timedelta(days=30)
_VISIT = datetime.timedelta(hours=12)
_CA_RENEW_BEFORE = _SERVER_LIFE + _RENEW_BEFORE  # no server's certificate outlives its authority's
_SKEW = datetime.timedelta(minutes=5)  # hosts' clocks may be behind ours


class Use(StrEnum):
    """What a certificate is good for."""

    SERVER = "server"
    CLIENT = "client"
    BOTH = "both"  # a server that calls itself, and knows its callers by their certificates

    @property
    def extension(self) -> x509.ExtendedKeyUsage:
        """The same as those who check certificates read it."""
        serves, calls = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
        return x509.ExtendedKeyUsage({"server": [serves], "client": [calls], "both": [serves, calls]}[self.value])


class Issued(msgspec.Struct, frozen=True):
    """A certificate and its key, both PEM."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        return "Issued(certificate=..., key=...)"


class Authority(msgspec.Struct, frozen=True):
    """The CA of one stack, in `folder` (0700)."""

    folder: Path
    stack_name: str
    makes: bool = True

    @classmethod
    def open(cls, state: StateDir, *, makes: bool = True, now: datetime.datetime | None = None) -> "Authority":
        """The CA below `state`, made at the first call; without `makes` nothing is made, and NOT_MADE stands for it.

        Its certificate is renewed 395 days before it ends, with the key that it has: what it vouched for stays good
        for who trusts either of the two."""
        folder = state.secrets / "ca"
        if not makes:
            return cls(folder, state.path.name, makes)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = cls(folder, state.path.name)
        now = now or datetime.datetime.now(datetime.UTC)
        if not authority.certificate_file.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            authority._store("ca", _self_signed(state.path.name, key, now), key)
        elif _end(authority.certificate) <= now + _CA_RENEW_BEFORE:
            renewed = _self_signed(state.path.name, authority._signer(), now)
            _replace(authority.certificate_file, renewed.public_bytes(serialization.Encoding.PEM))
        return authority

    @property
    def certificate_file(self) -> Path:
        """Where the CA's own certificate lies, once it is made."""
        return self._path("ca", "pem")

    @property
    def certificate(self) -> str:
        """The CA's own certificate (PEM): what clients trust."""
        path = self._path("ca", "pem")
        return path.read_text(encoding="ascii") if self.makes or path.exists() else NOT_MADE

    def issue(
        self, name: str, names: Iterable[str], *, use: Use = Use.SERVER, now: datetime.datetime | None = None
    ) -> Issued:
        """The certificate of server `name`, valid for the IP addresses and DNS names `names`.

        The same one until it has less than 30 days left, or `names` or its `use` change."""
        now = now or datetime.datetime.now(datetime.UTC)
        wanted = _alternatives(names)
        if not self._good_until(name, wanted, use, now + _RENEW_BEFORE):
            if not self.makes:
                return Issued(NOT_MADE, NOT_MADE)
            self._store(name, *self._signed(name, wanted, use, now, _SERVER_LIFE))
        return Issued(*(self._path(name, end).read_text(encoding="ascii") for end in ("pem", "key")))

    def visitor(self, name: str) -> Issued:
        """A certificate by which a client shows that it is `name`, for half a day; its key is on no disk.

        Raises FileNotFoundError where there is no CA yet."""
        certificate, key = self._signed(name, frozenset(), Use.CLIENT, datetime.datetime.now(datetime.UTC), _VISIT)
        return Issued(certificate.public_bytes(serialization.Encoding.PEM).decode(), _private(key).decode())

    def forget(self, name: str) -> None:
        """The next `issue` makes another key and certificate for server `name`."""
        self._path(name, "pem").unlink(missing_ok=True)

    def _good_until(self, name: str, wanted: frozenset[x509.GeneralName], use: Use, moment: datetime.datetime) -> bool:
        path = self._path(name, "pem")
        if not all(each.exists() for each in (path, self._path(name, "key"), self._path("ca", "pem"))):
            return False
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        issuer = x509.load_pem_x509_certificate(self.certificate.encode())
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        purpose = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        same = frozenset(held) == wanted and purpose == use.extension
        return same and certificate.not_valid_after_utc > moment and _signed_by(certificate, issuer)

    def _signed(
        self,
        name: str,
        names: frozenset[x509.GeneralName],
        use: Use,
        now: datetime.datetime,
        life: datetime.timedelta,
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        issuer = x509.load_pem_x509_certificate(self.certificate.encode())
        signer = self._signer()
        key = ec.generate_private_key(ec.SECP256R1())
        ordered = sorted(names, key=lambda alternative: str(alternative.value))
        builder = (
            _builder(name, key, now, life)
            .issuer_name(issuer.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(use.extension, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if ordered:
            builder = builder.add_extension(x509.SubjectAlternativeName(ordered), critical=False)
        return builder.sign(signer, hashes.SHA256()), key

    def _signer(self) -> ec.EllipticCurvePrivateKey:
        signer = serialization.load_pem_private_key(self._path("ca", "key").read_bytes(), None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self._path('ca', 'key')} is not an elliptic-curve key")
        return signer

    def _path(self, name: str, end: str) -> Path:
        return self.folder / f"{name}.{end}"

    def _store(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        # The certificate goes first and comes last: a run that is killed between leaves no pair that does not match.
        self._path(name, "pem").unlink(missing_ok=True)
        _replace(self._path(name, "key"), _private(key))
        _replace(self._path(name, "pem"), certificate.public_bytes(serialization.Encoding.PEM))


def ends(certificate: str) -> int:
    """When a certificate (PEM) ends, in seconds since 1970; 0 for one that is not made yet."""
    return 0 if certificate == NOT_MADE else int(_end(certificate).timestamp())


def _end(certificate: str) -> datetime.datetime:
    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc


def _self_signed(stack_name: str, key: ec.EllipticCurvePrivateKey, now: datetime.datetime) -> x509.Certificate:
    title = f"himari {stack_name}"
    return (
        _builder(title, key, now, _CA_LIFE)
        .issuer_name(_common_name(title))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_CA_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


_CA_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _builder(
    title: str, key: ec.EllipticCurvePrivateKey, now: datetime.datetime, life: datetime.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_common_name(title))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
    )


def _common_name(title: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])


def _alternatives(names: Iterable[str]) -> frozenset[x509.GeneralName]:
    return frozenset(_alternative(name) for name in names)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    # A CA that was made anew after `destroy` must not leave servers with certificates of the old one.
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError):
        return False
    return True


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)

"""The values that the vault holds for a stack's components: secrets, keys, certificates."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from himari.catalog.collector import VENUE_CA
from himari.catalog.component import CertificateEnd, PublicFile, ScramVerifier, SecretHash
from himari.catalog.consumer import WEBHOOK
from himari.catalog.host import secrets
from himari.stack.errors import StackFileError
from himari.stack.known import Known
from himari.stack.model import IN_VAULT, Role, Stack
from himari.stack.network import LOOPBACK, tunnel_addresses
from himari.stack.paths import StateDir
from himari.vault.authority import Authority, Issued, Use, ends
from himari.vault.scram import verifier
from himari.vault.secrets import Secrets

_KEY = "-key"  # exchange-key: the key of server `exchange`
_CERTIFICATE = ".pem"  # exchange.pem: its certificate; ca.pem: the authority's
_KEYSTORE = "-keystore"  # broker-keystore: key, certificate and authority in one, as a JVM takes them
# A broker with one listener for its own calls, which knows callers by their certificates, is its own client.
_USES = {Role.BROKER: Use.BOTH}
HERE = (LOOPBACK, "localhost")


def server_of(name: str) -> str:
    """The server whose key, alone or in a keystore, is the secret `name`; empty when it is none's."""
    server, _, kind = name.rpartition("-")
    return server if f"-{kind}" in (_KEY, _KEYSTORE) and server in set(Role) else ""


def stated(stack: Stack, name: str) -> bool:
    """Whether the stack file itself says the secret `name`."""
    return name == WEBHOOK and stack.alerts.webhook not in ("", IN_VAULT)


def vault_names(stack: Stack) -> tuple[str, ...]:
    """The secrets that the vault has to hold for `stack`, sorted: neither servers' keys nor what the file says."""
    return tuple(name for name in secrets(stack) if not server_of(name) and not stated(stack, name))


class Values(msgspec.Struct, frozen=True):
    """What stands behind the names that components use."""

    stack: Stack
    known: Known
    secrets: Secrets
    authority: Authority

    @classmethod
    def open(cls, stack: Stack, known: Known, state: StateDir, *, makes: bool = True) -> "Values":
        """The vault below `state`; without `makes` a look at it, for verbs that change nothing."""
        return cls(stack, known, Secrets.open(state, makes=makes), Authority.open(state, makes=makes))

    def secret(self, name: str) -> str:
        """The secret `name`: the stack file's webhook, a server's key or keystore, or a value of the vault."""
        if stated(self.stack, name):
            return self.stack.alerts.webhook
        if server := server_of(name):
            issued = self._issued(Role(server))
            whole = issued.key + issued.certificate + self.authority.certificate
            return whole if name.endswith(_KEYSTORE) else issued.key
        return self.secrets.get(name)

    def public_file(self, name: str) -> str:
        """The text of `ca.pem`, of the venue's `venue-ca.pem`, or of the certificate of the server in `NAME.pem`."""
        if name == VENUE_CA:
            return self._venue_ca()
        server = name.removesuffix(_CERTIFICATE)
        if server == "ca":
            return self.authority.certificate
        return self._issued(Role(server)).certificate

    def resolve(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` with each marker replaced by what it stands for."""
        return {key: self._resolved(value) for key, value in values.items()}

    def _resolved(self, value: Any) -> Any:
        match value:
            case SecretHash() | ScramVerifier() | PublicFile() | CertificateEnd():
                return self._stands_for(value)
            case Mapping():
                return self.resolve(value)
            case list() | tuple():
                return [self._resolved(item) for item in value]
            case _:
                return value

    def _stands_for(self, marker: SecretHash | ScramVerifier | PublicFile | CertificateEnd) -> str | int:
        match marker:
            case SecretHash():
                return hashlib.sha256(self.secret(marker.secret).encode()).hexdigest()
            case ScramVerifier():
                return verifier(self.secret(marker.secret))
            case PublicFile():
                return self.public_file(marker.name)
            case CertificateEnd():
                return ends(self.public_file(marker.name))

    def _issued(self, role: Role) -> Issued:
        return self.authority.issue(role, self._names(role), use=_USES.get(role, Use.SERVER))

    def _venue_ca(self) -> str:
        name, venue = next(iter(self.stack.venues.items()))
        try:
            return Path(venue.ca_file).expanduser().read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise StackFileError(f"{venue.ca_file}: {error}", f"venues.{name}.ca_file", "a PEM file") from None

    def _names(self, role: Role) -> tuple[str, ...]:
        """How clients name the servers of `role`: by their hosts' names and addresses, in the tunnel and outside it;
        by the loopback address on the host itself, and where `himari open` has made a port for one."""
        hosts, tunnel = self.stack.hosts_with(role), tunnel_addresses(self.stack)
        addresses = {self.known[name].address for name in hosts if name in self.known} - {"local"}
        return tuple(sorted({*hosts, *addresses, *(tunnel[name] for name in hosts if name in tunnel), *HERE}))

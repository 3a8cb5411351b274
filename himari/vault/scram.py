"""What PostgreSQL keeps of a password (RFC 5803): whoever reads it can check a login by it, and not make one."""

import hashlib
import hmac
from base64 import b64encode

ITERATIONS = 4096
_SALT_BYTES = 16


def verifier(password: str) -> str:
    """The SCRAM-SHA-256 verifier of `password`, the same at each call."""
    # A salt keeps guessable passwords out of tables. Ours are 256 random bits, so theirs may follow from them: what did
    # not change is written in the same words, and is seen to be unchanged.
    salt = _mac(password.encode(), b"himari: salt of a SCRAM verifier")[:_SALT_BYTES]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(_mac(salted, b"Client Key")).digest()
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(_mac(salted, b'Server Key'))}"


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _text(value: bytes) -> str:
    return b64encode(value).decode()

"""Verifiers, as a server opens a login by them."""

import base64
import hashlib
import hmac

from himari.vault.scram import ITERATIONS, verifier


def test_it_is_the_same_for_one_password_and_another_for_another() -> None:
    assert verifier("a") == verifier("a") != verifier("b")


def test_the_password_is_not_in_it() -> None:
    assert "0123456789abcdef" not in verifier("0123456789abcdef" * 4)


def test_a_login_by_the_password_is_known_by_it() -> None:
    kind, salted, keys = verifier("secret").split("$")
    iterations, salt = salted.split(":")
    stored, server = (base64.b64decode(key) for key in keys.split(":"))
    assert (kind, int(iterations)) == ("SCRAM-SHA-256", ITERATIONS)
    # The client's proof (RFC 5802, section 3), as a server opens it.
    password = hashlib.pbkdf2_hmac("sha256", b"secret", base64.b64decode(salt), int(iterations))
    client, message = hmac.digest(password, b"Client Key", "sha256"), b"n=reader,r=x,r=xy,s=z,i=4096,c=biws,r=xy"
    proof = bytes(a ^ b for a, b in zip(client, hmac.digest(stored, message, "sha256"), strict=True))
    opened = bytes(a ^ b for a, b in zip(proof, hmac.digest(stored, message, "sha256"), strict=True))
    assert hashlib.sha256(opened).digest() == stored
    assert server == hmac.digest(password, b"Server Key", "sha256")

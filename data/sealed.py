"""Personal columns, sealed at rest: AES-256-GCM under a key kept outside the database."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from data.config import Settings

NONCE_BYTES = 12


class Sealed(TypeDecorator[str]):
    """Text that is stored as nonce and ciphertext; None stays None."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Seal."""
        return None if value is None else seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Unseal."""
        return None if value is None else unseal(value)


def _cipher() -> AESGCM:
    return _cipher_of(Settings.from_env().secret)


def _cipher_of(secret: bytes) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"zhendi personal columns").derive(secret)
    return AESGCM(key)


def seal(text: str) -> bytes:
    """Return nonce and ciphertext of a text."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, text.encode(), None)


def unseal(sealed: bytes) -> str:
    """Return the text of a nonce and ciphertext."""
    return _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()

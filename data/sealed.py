"""Personal columns, sealed at rest: AES-256-GCM under a key kept outside the database."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from data.config import secret_of_environment
from geo.errors import N_, SettingsError

NONCE_BYTES = 12


class Sealed(TypeDecorator[str]):
    """Text that is stored as nonce and ciphertext; None stays None."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Seal."""
        return None if value is None else seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Unseal."""
        return None if value is None else unseal(value)


def seal(text: str) -> bytes:
    """Return nonce and ciphertext of a text."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, text.encode(), None)


def seal_all(texts: Iterable[str | None]) -> list[bytes | None]:
    """Return nonces and ciphertexts of many texts; None stays None."""
    texts = list(texts)
    encrypt = _cipher().encrypt
    noise = os.urandom(NONCE_BYTES * len(texts))
    nonces = (noise[start : start + NONCE_BYTES] for start in range(0, len(noise), NONCE_BYTES))
    return [
        None if text is None else nonce + encrypt(nonce, text.encode(), None)
        for nonce, text in zip(nonces, texts, strict=True)
    ]


def unseal(sealed: bytes) -> str:
    """
    Return the text of a nonce and ciphertext.

    Raises
    ------
    SettingsError
        When the key is not the one that sealed it.
    """
    try:
        return _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None).decode()
    except InvalidTag:
        raise SettingsError(
            N_("The key in use does not open the customers' data; it was stored under another key.")
        ) from None


def _cipher() -> AESGCM:
    return _cipher_of(secret_of_environment())


@lru_cache(maxsize=16)
def _cipher_of(secret: bytes) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"zhendi personal columns").derive(secret)
    return AESGCM(key)

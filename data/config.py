"""Settings: the environment is read here and nowhere else."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self, cast

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from geo.errors import N_, SettingsError

ROOT = Path(__file__).resolve().parent.parent
SECRET_BYTES = 32
SHORTEST_SECRET = 16
_NAMES = (
    "ZHENDI_VAR",
    "ZHENDI_DATABASE_URL",
    "ZHENDI_SECRET_KEY",
    "ZHENDI_BANK",
    "ZHENDI_BASEMAPS",
)
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Settings:
    """
    What an installation chooses.

    Parameters
    ----------
    database_url
        SQLite or PostgreSQL, as SQLAlchemy writes it.
    var
        The one folder that is written to.
    secret
        Seals personal columns and signs tile links.
    bank
        The own brand, as it appears in the names of its outlets; empty when not set.
    basemaps
        The table of base maps.
    """

    database_url: str = field(repr=False)
    var: Path
    secret: bytes = field(repr=False)
    bank: str = ""
    basemaps: Path = ROOT / "data" / "basemaps.toml"

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Self:
        """
        Return the settings of the environment, with a key made on first use.

        Raises
        ------
        SettingsError
            When a variable cannot be used; its name is in the message, its value never.
        """
        if environment is None:  # asked for many times a page
            known = tuple(os.environ.get(name) or "" for name in _NAMES)
            return cast(Self, _settings(known))
        env = environment
        var = ROOT / Path(env.get("ZHENDI_VAR") or "var").expanduser()
        return cls(
            database_url=_database_url(env.get("ZHENDI_DATABASE_URL") or f"sqlite:///{var / 'zhendi.db'}"),
            var=var,
            secret=_secret(env.get("ZHENDI_SECRET_KEY") or "", var),
            bank=(env.get("ZHENDI_BANK") or "").strip(),
            basemaps=ROOT / Path(env.get("ZHENDI_BASEMAPS") or "data/basemaps.toml").expanduser(),
        )


@lru_cache(maxsize=16)
def _settings(known: tuple[str, ...]) -> Settings:
    """Return what variables' values say, read once: the key in its file never changes."""
    return Settings.from_env(dict(zip(_NAMES, known, strict=True)))


def secret_of_environment() -> bytes:
    """Return the key alone: it is asked for with every sealed value, so nothing else is worked out."""
    var = os.environ.get("ZHENDI_VAR") or "var"
    return _secret_of(os.environ.get("ZHENDI_SECRET_KEY") or "", var)


def from_environment(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a text with each `${NAME}` replaced by that variable, and the names that are not set."""
    names = _PLACEHOLDER.findall(text)
    missing = tuple(name for name in names if not os.environ.get(name))
    return _PLACEHOLDER.sub(lambda match: os.environ.get(match[1], ""), text), missing


def language() -> Literal["zh", "en"]:
    """Return the language of the command line: `ZHENDI_LANG`, else the system's."""
    told = os.environ.get("ZHENDI_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if told.lower().startswith("zh") else "en"


@lru_cache(maxsize=16)
def _secret_of(given: str, var: str) -> bytes:
    return _secret(given, ROOT / Path(var).expanduser())


def _database_url(text: str) -> str:
    text = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text)
    try:
        backend = make_url(text).get_backend_name()
    except ArgumentError:
        backend = ""
    if backend not in ("sqlite", "postgresql"):
        raise SettingsError(N_("{name} must be a SQLite or PostgreSQL address."), name="ZHENDI_DATABASE_URL")
    return text


def _secret(given: str, var: Path) -> bytes:
    if given:
        if len(given) < SHORTEST_SECRET:
            raise SettingsError(
                N_("{name} must have at least {count} characters."),
                name="ZHENDI_SECRET_KEY",
                count=SHORTEST_SECRET,
            )
        return given.encode()
    path = var / "secret.key"
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) < SHORTEST_SECRET:
        raise SettingsError(N_("The key file {name} is damaged."), name=path.name)
    return key


def _make_key(path: Path) -> None:
    """Write a key whole and once: of two processes that start together, one key stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.write(secrets.token_bytes(SECRET_BYTES))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()

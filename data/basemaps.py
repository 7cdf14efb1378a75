"""Base maps: the table in the settings file, read and checked."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from data.config import Settings, from_environment
from geo.datum import DATUMS
from geo.errors import N_, SettingsError

Kind = Literal["none", "xyz", "pmtiles"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_KEY = re.compile(r"[a-z0-9-]{1,40}")
_FIELDS: dict[str, type] = {
    "key": str,
    "zh": str,
    "en": str,
    "kind": str,
    "url": str,
    "path": str,
    "style": str,
    "datum": str,
    "attribution": str,
    "enabled": bool,
    "min_zoom": int,
    "max_zoom": int,
}
_MUST_BE: dict[type, str] = {
    str: N_("Base map {entry}: {field} must be text."),
    bool: N_("Base map {entry}: {field} must be true or false."),
    int: N_("Base map {entry}: {field} must be a whole number."),
}
_NEEDED = ("key", "zh", "en", "kind", "datum", "enabled")
_PLACES = ("{z}", "{x}", "{y}")
DEEPEST_ZOOM = 24
DEMO = "demo"  # the key of the demo town's own street plan


@dataclass(frozen=True)
class BaseMap:
    """
    One base map.

    Parameters
    ----------
    key, zh, en
        Its name in links and on screen.
    kind
        None, pictures at an address, or a file.
    datum
        Of its pictures; overlays and clicks follow it.
    url, path
        Where it is: of `xyz`, with the environment's keys filled in; of `pmtiles`.
    style
        How a file is drawn.
    missing
        Variables its address needs that are not set; without them it cannot be reached.
    """

    key: str
    zh: str
    en: str
    kind: Kind
    datum: str
    enabled: bool
    url: str = ""
    path: Path | None = None
    style: str = ""
    attribution: str = ""
    min_zoom: int = 0
    max_zoom: int = 18
    missing: tuple[str, ...] = ()

    def name(self, language: str) -> str:
        """Return its name in a language."""
        return self.zh if language == "zh" else self.en

    @property
    def usable(self) -> bool:
        """Whether it can be offered: switched on, its keys set, its file there."""
        return self.enabled and not self.missing and (self.path is None or self.path.is_file())


def load(settings: Settings) -> list[BaseMap]:
    """
    Return the base maps of the settings file, in its order, those switched off as well.

    Raises
    ------
    SettingsError
        When an entry cannot be used; the message names the entry and the field.
    """
    entries = _entries(settings.basemaps)
    maps = [_base_map(number, entry, settings) for number, entry in enumerate(entries, start=1)]
    keys = [each.key for each in maps]
    for key in keys:
        if keys.count(key) > 1:
            raise SettingsError(N_("Base map {entry}: two have this key."), entry=key)
    return maps


def offered(settings: Settings) -> list[BaseMap]:
    """Return the base maps a user may choose from now."""
    return [each for each in load(settings) if each.usable]


def pmtiles_path(settings: Settings, key: str) -> Path | None:
    """Return the file of a base map that is switched on; None when there is none by that key."""
    return next((each.path for each in load(settings) if each.key == key and each.enabled), None)


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("basemap", [])
    except OSError as error:
        raise SettingsError(N_("The base maps' file {name} cannot be read."), name=path.name) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            N_("The base maps' file {name} is not TOML: {reason}"), name=path.name, reason=str(error)
        ) from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError(
            N_("The base maps' file {name} needs entries headed [[basemap]]."), name=path.name
        )
    return entries


def _base_map(number: int, entry: dict[str, Any], settings: Settings) -> BaseMap:
    name = str(entry.get("key") or number)
    for field, value in entry.items():
        if field not in _FIELDS:
            raise SettingsError(
                N_("Base map {entry}: nobody knows the field {field}."), entry=name, field=field
            )
        if type(value) is not _FIELDS[field]:
            raise SettingsError(_MUST_BE[_FIELDS[field]], entry=name, field=field)
    needed = _NEEDED + {"xyz": ("url",), "pmtiles": ("path",)}.get(entry.get("kind", ""), ())
    for field in needed:
        if entry.get(field) in (None, ""):
            raise SettingsError(N_("Base map {entry}: {field} is missing."), entry=name, field=field)
    _check(name, entry)
    url, missing = from_environment(entry.get("url", ""))
    path = settings.var / Path(entry["path"]).expanduser() if "path" in entry else None
    return BaseMap(**{**entry, "url": url, "path": path, "missing": missing})


def _check(name: str, entry: dict[str, Any]) -> None:
    choices = {"kind": _KINDS, "datum": DATUMS}
    for field, known in choices.items():
        if entry[field] not in known:
            raise SettingsError(
                N_("Base map {entry}: {field} must be one of {known}."),
                entry=name,
                field=field,
                known=", ".join(known),
            )
    if not _KEY.fullmatch(entry["key"]):
        raise SettingsError(
            N_("Base map {entry}: {field} takes small letters, digits and hyphens."), entry=name, field="key"
        )
    if entry["kind"] == "xyz":
        address = entry["url"]
        if not address.startswith(("http://", "https://", "/")) or any(
            part not in address for part in _PLACES
        ):
            raise SettingsError(
                N_("Base map {entry}: {field} must be a web address with {{z}}, {{x}} and {{y}}."),
                entry=name,
                field="url",
            )
    shallow, deep = entry.get("min_zoom", 0), entry.get("max_zoom", 18)
    if not 0 <= shallow <= deep <= DEEPEST_ZOOM:
        raise SettingsError(
            N_("Base map {entry}: zooms run from 0 to {deepest}."), entry=name, deepest=DEEPEST_ZOOM
        )

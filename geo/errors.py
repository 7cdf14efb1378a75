"""
Every error Zhendi raises on purpose, in one tree.

    ZhendiError
      GeoError
        DatumError        a datum nobody knows, or coordinates that are none
        CrsError          measuring in the wrong CRS, or two CRSs in one operation
        TileError         a tile address outside the world
        Overlaps          a zone drawn over ground of others; carries their numbers
      DataError
        FileError         a file refused whole; names what is wrong and what to do
        DatumUnknown      no proof which datum a list is in; carries the candidates
        ManyRejected      more than half of a list's rows would be rejected; the user is asked
        Cancelled         the user stopped long work; nothing of it was kept
        NotFound          a branch, merchant, batch … that is not there
        Conflict          a name or code that is taken, or an edit of something that changed since
          PlanConflict    a plan of zones that changed since; carries what changed, and whether both fit
          LinkConflict    a link or an alliance that changed since; carries what changed
          Approached      a colleague is at work with the same merchants; carries who, and at what
        SettingsError     an environment or settings file that cannot be used
        StoreError        the store cannot be reached, or cannot keep what it is given
        TokenError        a tile link that is forged, expired or stale
      RightsError         whoever asks may not see or do this
      IdentityError       nobody may ask from where this request comes

A message is an English sentence with named places (`"Row {row} …"`), which is also its key in the
catalogue of translations: `str(error)` is English, `data.words.say(error, language)` the user's language.
"""

from __future__ import annotations

from datetime import date, datetime


def N_(message: str) -> str:
    """Mark a message for translation where it is written; return it as it is."""
    return message


class Told:
    """A phrase inside a message, said in the language of the whole: a marked text and what fills it."""

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return self.message.format(**spelled(self.values))


def joint(phrases: tuple[object, ...]) -> str:
    """Return what stands between several phrases that fill one place, as a marked text."""
    longer = any(isinstance(phrase, Told) and phrase.values for phrase in phrases)
    return N_("; ") if longer else N_(", ")


def spelled(values: dict[str, object]) -> dict[str, object]:
    """Return what fills a message, in English."""
    return {
        name: joint(value).join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


class ZhendiError(ValueError):
    """An error with a message for people: a sentence and the values that fill it."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return self.message.format(**spelled(self.values))


class GeoError(ZhendiError):
    """Something about where or how much is wrong."""


class DatumError(GeoError):
    """A datum nobody knows, or coordinates that are none."""


class CrsError(GeoError):
    """Measured in the wrong CRS, or two CRSs in one operation."""


class TileError(GeoError):
    """A tile address outside the world."""


class Overlaps(GeoError):
    """A zone is drawn over ground of others: whose it is to be has to be said. `zones` are their numbers."""

    def __init__(self, message: str, zones: tuple[int, ...], **values: object) -> None:
        super().__init__(message, **values)
        self.zones = zones


class DataError(ZhendiError):
    """Something about what is stored or brought in is wrong."""


class FileError(DataError):
    """A file is refused whole."""


class DatumUnknown(DataError):
    """Nothing proves a list's datum. `candidates` maps each to the first row's lon, lat in WGS 84."""

    def __init__(self, message: str, candidates: dict[str, tuple[float, float]], **values: object) -> None:
        super().__init__(message, **values)
        self.candidates = candidates


class ManyRejected(DataError):
    """More than half of a list's rows would be rejected; the user has to agree first."""


class Cancelled(DataError):
    """The user stopped long work; nothing of it was kept."""


class NotFound(DataError):
    """What was asked for is not there."""


class Conflict(DataError):
    """A name or code is taken, or what is edited has changed since it was read."""


class PlanConflict(Conflict):
    """
    A plan of zones has changed since it was opened.

    Parameters
    ----------
    changed
        A line a change made since, the oldest first: by whom, when, what (a code of `data.zones.held.DEEDS`)
        and the names of the zones.
    mergeable
        Whether the refused change fits on the newer plan: it is of other zones and other ground.
    """

    def __init__(
        self,
        message: str,
        changed: list[tuple[str, datetime, str, tuple[str, ...]]],
        mergeable: bool,
        **values: object,
    ) -> None:
        super().__init__(message, **values)
        self.changed = changed
        self.mergeable = mergeable


class LinkConflict(Conflict):
    """
    A link or an alliance has changed since it was opened.

    Parameters
    ----------
    changed
        A line a change made since, the oldest first: by whom, when, what was done (a code of
        `data.alliances.telling.DEEDS`) and the names of the columns changed.
    """

    def __init__(
        self, message: str, changed: list[tuple[str, datetime, str, tuple[str, ...]]], **values: object
    ) -> None:
        super().__init__(message, **values)
        self.changed = changed


class Approached(Conflict):
    """
    A colleague is at work with the same merchants.

    Parameters
    ----------
    approaches
        A line each: the merchant's number and name, the colleague, the day, and what: visit, link, alliance.
    """

    def __init__(
        self, message: str, approaches: list[tuple[int, str, str, date, str]], **values: object
    ) -> None:
        super().__init__(message, **values)
        self.approaches = approaches


class SettingsError(DataError):
    """An environment variable or a settings file cannot be used."""


class StoreError(DataError):
    """The store cannot be reached, or cannot keep what it is given; nothing was changed."""


class TokenError(DataError):
    """A tile link is forged, expired or stale."""


class RightsError(ZhendiError):
    """Whoever asks may not see or do this."""


class IdentityError(ZhendiError):
    """Nobody may ask from where this request comes."""

"""What stands on screen, in the user's language: messages, numbers, money, shares, distances, dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import date, datetime, tzinfo
from functools import wraps
from typing import ParamSpec, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from babel import Locale
from babel.dates import format_datetime

from data import written
from data.rights import Role
from data.words import Language, say, translations
from data.written import NONE
from geo.coverage import Figure
from geo.errors import N_, ZhendiError
from pages.parts import state

__all__ = [
    "DATUM_NAMES",
    "NONE",
    "N_",
    "ROLE_NAMES",
    "_",
    "complaint",
    "day",
    "distance",
    "in_one_language",
    "language",
    "locale",
    "moment",
    "money",
    "ngettext",
    "number",
    "percent",
    "plain",
    "share",
    "shorten",
    "spoken",
]

K = TypeVar("K")
P = ParamSpec("P")
R = TypeVar("R")
NAME_SHOWN = 30  # letters of a name on a button; the card has it whole
DATUM_NAMES = {
    "wgs84": N_("GPS, Tianditu, OpenStreetMap (WGS 84)"),
    "gcj02": N_("Gaode, Tencent (GCJ-02)"),
    "bd09": N_("Baidu (BD-09)"),
}
ROLE_NAMES: dict[Role, str] = {
    Role.HEAD: N_("Branch head"),
    Role.LEAD: N_("Outreach lead"),
    Role.MEMBER: N_("Customer manager"),
    Role.ANALYST: N_("Analyst"),
    Role.AUDITOR: N_("Auditor"),
    Role.ADMIN: N_("Administrator"),
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|$:~<>])")
_SETTLED: ContextVar[Language | None] = ContextVar("settled language", default=None)


def language() -> Language:
    """Return the user's language: the one chosen, else the browser's, else Chinese."""
    settled = _SETTLED.get()
    if settled is not None:
        return settled
    asked = (state.language() or st.context.locale or "zh").lower()
    return "zh" if asked.startswith("zh") else "en"


def in_one_language(part: Callable[P, R]) -> Callable[P, R]:
    """Let a part of a page look its language up once: a session is asked slowly, and hundreds of times."""

    @wraps(part)
    def settled(*given: P.args, **named: P.kwargs) -> R:
        before = _SETTLED.set(language())
        try:
            return part(*given, **named)
        finally:
            _SETTLED.reset(before)

    return settled


def locale() -> Locale:
    """Return the user's language as Babel knows it."""
    return written.LOCALES[language()]


def _(message: str, **values: object) -> str:
    """Return a message in the user's language, its named places filled."""
    return say(message, language(), **values)


def ngettext(one: str, many: str, n: int, **values: object) -> str:
    """Return the message for `n` things; `{n}` in it is the number as the language writes it."""
    spoken = str(translations(language()).ngettext(one, many, n))
    return spoken.format(n=number(n), **values)


def spoken(names: Mapping[K, str]) -> Callable[[K], str]:
    """Return what writes codes as their marked names, for widgets: looked up now, not when they ask."""
    return {code: _(name) for code, name in names.items()}.__getitem__


def complaint(error: ZhendiError) -> str:
    """Return an error's sentence in the user's language."""
    return say(error, language())


def plain(text: str) -> str:
    """Return a name with nothing left in it that Markdown would act on."""
    return _MARKDOWN.sub(r"\\\1", text)


def shorten(text: str) -> str:
    """Return a name that fits on a button: an overlong one loses its end."""
    return text if len(text) <= NAME_SHOWN else text[: NAME_SHOWN - 1] + "…"


def number(value: float | None, *, compact: bool = True) -> str:
    """Return a count: 12,345 as `1.2万` or `12.3K`, or in full where a table needs it; `-` for none."""
    return written.number(value, language(), compact=compact)


def money(value: float | None, *, compact: bool = True) -> str:
    """Return an amount of yuan; `-` for none."""
    return written.money(value, language(), compact=compact)


def share(value: float | None) -> str:
    """Return a share between 0 and 1 in per cent, without its counts; `-` for none."""
    return written.share(value, language())


def percent(figure: Figure) -> str:
    """Return a share with numerator and denominator, `37.1% (120/324)`; `-` when there is no denominator."""
    return written.percent(figure, language())


def distance(metres: float | None) -> str:
    """Return a distance as people say it: `850 米`, `1.2 公里`; `-` for none."""
    return written.distance(metres, language())


def day(value: date | datetime | None) -> str:
    """Return a date; `-` for none."""
    return written.day(value, language(), _zone())


def moment(value: datetime | None) -> str:
    """Return a date and time of day where the user is; `-` for none."""
    if value is None:
        return NONE
    return str(format_datetime(written.here(value, _zone()), "medium", locale=locale()))


def _zone() -> tzinfo:
    """Return where the user's clock stands."""
    try:
        return ZoneInfo(st.context.timezone) if st.context.timezone else written.BANK_TIME
    except ZoneInfoNotFoundError:
        return written.BANK_TIME

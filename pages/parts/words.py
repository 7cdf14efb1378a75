"""What stands on screen, in the user's language: messages, numbers, money, shares, distances, dates."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from data.rights import Role
from data.words import Language, say, translations
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
NONE = "-"
NAME_SHOWN = 30  # letters of a name on a button; the card has it whole
COMPACT_FROM = 10_000  # below, every digit is shown: 万 starts here
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
# Babel looks a locale up in the file system when it is handed a name: hundreds of times a page.
_LOCALES: dict[Language, Locale] = {"zh": Locale.parse("zh_CN"), "en": Locale.parse("en")}
_BANK_TIME = ZoneInfo("Asia/Shanghai")
_SETTLED: ContextVar[Language | None] = ContextVar("settled language", default=None)
WRITTEN_AT_ONCE = 20_000  # numbers kept as they are written: most of a page's stand there again after a move


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
    return _LOCALES[language()]


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


def _known(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def number(value: float | None, *, compact: bool = True) -> str:
    """Return a count: 12,345 as `1.2万` or `12.3K`, or in full where a table needs it; `-` for none."""
    if value is None or math.isnan(value):
        return NONE
    return _number(float(value), compact, language())


@lru_cache(maxsize=WRITTEN_AT_ONCE)
def _number(value: float, compact: bool, spoken: Language) -> str:
    if compact and abs(value) >= COMPACT_FROM:
        return str(format_compact_decimal(value, locale=_LOCALES[spoken], fraction_digits=1))
    digits = "#,##0" if value.is_integer() else "#,##0.#"
    return str(format_decimal(value, format=digits, locale=_LOCALES[spoken]))


def money(value: float | None, *, compact: bool = True) -> str:
    """Return an amount of yuan; `-` for none."""
    return f"¥{number(value, compact=compact)}" if _known(value) else NONE


def share(value: float | None) -> str:
    """Return a share between 0 and 1 in per cent, without its counts; `-` for none."""
    if value is None or math.isnan(value):
        return NONE
    return _share(float(value), language())


@lru_cache(maxsize=WRITTEN_AT_ONCE)
def _share(value: float, spoken: Language) -> str:
    return str(format_percent(value, format="0%" if value in (0, 1) else "0.#%", locale=_LOCALES[spoken]))


def percent(figure: Figure) -> str:
    """Return a share with numerator and denominator, `37.1% (120/324)`; `-` when there is no denominator."""
    if not _known(figure.value) or not figure.denominator:
        return NONE
    return f"{share(figure.value)} ({number(figure.numerator)}/{number(figure.denominator)})"


def distance(metres: float | None) -> str:
    """Return a distance as people say it: `850 米`, `1.2 公里`; `-` for none."""
    if metres is None or math.isnan(metres):
        return NONE
    if metres < 1000:
        return _("{metres} m", metres=number(round(metres)))
    return _("{kilometres} km", kilometres=number(round(metres / 1000, 1)))


def day(value: date | datetime | None) -> str:
    """Return a date; `-` for none."""
    if value is None:
        return NONE
    if isinstance(value, datetime):
        value = _here(value)
    return str(format_date(value, format="medium", locale=locale()))


def moment(value: datetime | None) -> str:
    """Return a date and time of day where the user is; `-` for none."""
    return NONE if value is None else str(format_datetime(_here(value), "medium", locale=locale()))


def _here(value: datetime) -> datetime:
    """Return a stored moment (UTC) on the user's clock."""
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return aware.astimezone(ZoneInfo(st.context.timezone) if st.context.timezone else _BANK_TIME)
    except ZoneInfoNotFoundError:
        return aware.astimezone(_BANK_TIME)

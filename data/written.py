"""Numbers, money, shares, distances and dates as a language writes them, on screen and on paper."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from data.words import Language, say
from geo.coverage import Figure
from geo.errors import N_

NONE = "-"
MASKED = "<5"
COMPACT_FROM = 10_000  # below, every digit is shown: 万 starts here
WRITTEN_AT_ONCE = 20_000  # numbers kept as they are written: most of a page's stand there again after a move
BANK_TIME = ZoneInfo("Asia/Shanghai")
# Babel looks a locale up in the file system when it is handed a name: hundreds of times a page.
LOCALES: dict[Language, Locale] = {"zh": Locale.parse("zh_CN"), "en": Locale.parse("en")}


def is_masked(figure: Figure) -> bool:
    """Whether a figure is of fewer customers than whoever asks may see as a figure: its value is NaN."""
    return figure.value is not None and math.isnan(figure.value)


def number(value: float | None, language: Language, *, compact: bool = True) -> str:
    """Return a count: 12,345 as `1.2万` or `12.3K`, or in full where a table needs it; `-` for none."""
    if value is None or math.isnan(value):
        return NONE
    return _number(float(value), compact, language)


@lru_cache(maxsize=WRITTEN_AT_ONCE)
def _number(value: float, compact: bool, spoken: Language) -> str:
    if compact and abs(value) >= COMPACT_FROM:
        return str(format_compact_decimal(value, locale=LOCALES[spoken], fraction_digits=1))
    digits = "#,##0" if value.is_integer() else "#,##0.#"
    return str(format_decimal(value, format=digits, locale=LOCALES[spoken]))


def money(value: float | None, language: Language, *, compact: bool = True) -> str:
    """Return an amount of yuan; `-` for none."""
    known = value is not None and not math.isnan(value)
    return f"¥{number(value, language, compact=compact)}" if known else NONE


def share(value: float | None, language: Language) -> str:
    """Return a share between 0 and 1 in per cent, without its counts; `-` for none."""
    if value is None or math.isnan(value):
        return NONE
    return _share(float(value), language)


@lru_cache(maxsize=WRITTEN_AT_ONCE)
def _share(value: float, spoken: Language) -> str:
    return str(format_percent(value, format="0%" if value in (0, 1) else "0.#%", locale=LOCALES[spoken]))


def percent(figure: Figure, language: Language) -> str:
    """Return a share with numerator and denominator, `37.1% (120/324)`; `-` when there is no denominator."""
    if figure.value is None or math.isnan(figure.value) or not figure.denominator:
        return NONE
    top, bottom = (number(part, language) for part in (figure.numerator, figure.denominator))
    return f"{share(figure.value, language)} ({top}/{bottom})"


def distance(metres: float | None, language: Language) -> str:
    """Return a distance as people say it: `850 米`, `1.2 公里`; `-` for none."""
    if metres is None or math.isnan(metres):
        return NONE
    if metres < 1000:
        return say(N_("{metres} m"), language, metres=number(round(metres), language))
    return say(N_("{kilometres} km"), language, kilometres=number(round(metres / 1000, 1), language))


def day(value: date | datetime | None, language: Language, zone: tzinfo = BANK_TIME) -> str:
    """Return a date, of a stored moment (UTC) where the user is; `-` for none."""
    if value is None:
        return NONE
    if isinstance(value, datetime):
        value = here(value, zone)
    return str(format_date(value, format="medium", locale=LOCALES[language]))


def here(value: datetime, zone: tzinfo = BANK_TIME) -> datetime:
    """Return a stored moment (UTC) on a clock."""
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(zone)

"""Words in the user's language: gettext catalogues, read with Babel, Chinese and English."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Literal

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from geo.errors import Told, ZhendiError, joint

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
DOMAIN = "zhendi"
LOCALE_DIR = Path(__file__).parent / "locale"


@cache
def translations(language: Language) -> NullTranslations:
    """
    Return the catalogue of a language; English is what the messages are written in.

    The catalogue is compiled in memory, so that no compiled file can be forgotten or stale.
    """
    if language == "en":
        return NullTranslations()
    with (LOCALE_DIR / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as source:
        catalogue = read_po(source, locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


def say(text: str | ZhendiError | Told, language: Language, **values: object) -> str:
    """Return a marked message, or an error's message, in a language, with its values filled in."""
    if isinstance(text, ZhendiError | Told):
        values, text = text.values, text.message
    spoken = translations(language).gettext(text)
    if not values:
        return str(spoken)
    return str(spoken).format(**{name: _spoken(value, language) for name, value in values.items()})


def _spoken(value: object, language: Language) -> object:
    """Return what fills a place, its own phrases said in the language too."""
    if isinstance(value, Told):
        return say(value, language)
    if isinstance(value, tuple):
        between: str = translations(language).gettext(joint(value))
        return between.join(str(_spoken(part, language)) for part in value)
    return value

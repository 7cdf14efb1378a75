"""Every message has its Chinese, no Chinese is left over, and both fill the same places."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from data.words import LOCALE_DIR, say
from geo.coverage import Figure
from geo.errors import RightsError
from pages.parts import words

ROOT = Path(__file__).resolve().parents[2]
PYTHON = [("**.py", "python")]
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
# Singular and plural, as the glossary has them: where the English says the one, the Chinese says the other.
GLOSSARY = {
    r"\bmerchants?\b": "商户",
    r"\brival outlets?\b": "他行网点",
    r"\btarget customers?\b": "目标客户",
    r"\bexisting customers?\b": "存量客户",
    r"\bkey customers?\b": "重点客户",
    r"\bdeposits\b": "存款",
    r"\bcoverage\b": "覆盖率",
    r"\bproduct match\b": "产品匹配度",
    r"\bpreferences\b": "喜好习惯",
}


def catalogue() -> Catalog:
    with (LOCALE_DIR / "zh" / "LC_MESSAGES" / "zhendi.po").open("rb") as source:
        return read_po(source, locale="zh")


@functools.cache
def written() -> list[tuple[str, str | tuple[str, ...]]]:
    """Return where and what, for each message in the code."""
    return list(_written())


def _written() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for line, message, _comments, _context in extract_from_file("python", ROOT / "app.py", KEYWORDS):
        yield f"app.py:{line}", message
    for room in ("pages", "data", "geo"):
        for name, line, message, _comments, _context in extract_from_dir(
            ROOT / room, PYTHON, keywords=KEYWORDS
        ):
            yield f"{room}/{name}:{line}", message


def key(message: str | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def entries() -> list[Message]:
    return [message for message in catalogue() if message.id]


def test_every_message_in_the_code_has_its_chinese() -> None:
    known = {key(message.id) for message in entries() if message.string and all(strings(message))}
    missing = {key(message): place for place, message in written() if key(message) not in known}
    assert not missing


def test_no_chinese_is_left_over_from_messages_long_gone() -> None:
    used = {key(message) for _place, message in written()}
    assert not {key(message.id) for message in entries()} - used


def test_nothing_is_fuzzy_and_nothing_stands_twice() -> None:
    assert not [message.id for message in entries() if message.fuzzy]
    text = (LOCALE_DIR / "zh" / "LC_MESSAGES" / "zhendi.po").read_text(encoding="utf-8")
    ids = re.findall(r'^msgid (".*"(?:\n".*")*)', text, re.MULTILINE)
    assert len(ids) == len(set(ids)), sorted(one for one in set(ids) if ids.count(one) > 1)


def test_no_message_hides_in_an_f_string_where_it_would_not_be_found() -> None:
    hidden = []
    for path in [
        ROOT / "app.py",
        *(found for room in ("pages", "data", "geo") for found in (ROOT / room).rglob("*.py")),
    ]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
                hidden += [f"{path.name}:{node.lineno}" for call in calls if is_marked(call)]
    assert not hidden


def is_marked(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Name)
        and call.func.id in KEYWORDS
        and bool(call.args)
        and isinstance(call.args[0], ast.Constant)
    )


def strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def test_both_languages_fill_the_same_places() -> None:
    def differ(message: Message) -> bool:
        english = message.id if isinstance(message.id, str) else message.id[-1]
        places = set(re.findall(r"{(\w+)", english))
        return any(set(re.findall(r"{(\w+)", spoken)) != places for spoken in strings(message))

    assert [message.id for message in entries() if differ(message)] == []


@pytest.mark.parametrize(("english", "chinese"), GLOSSARY.items())
def test_the_glossary_is_kept(english: str, chinese: str) -> None:
    told = [message for message in entries() if re.search(english, key(message.id), re.IGNORECASE)]
    assert told, f"no message speaks of {english}"
    assert [each.id for each in told if not all(chinese in spoken for spoken in strings(each))] == []


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(words, "language", lambda: request.param)
    return str(request.param)


def test_numbers_are_written_as_each_language_writes_them(language: str) -> None:
    expected = {
        "zh": ["0", "9,999", "1.2万", "12.3万", "1.2亿"],
        "en": ["0", "9,999", "12.3K", "123.5K", "123.5M"],
    }
    assert [words.number(n) for n in (0, 9_999, 12_345, 123_456, 123_456_789)] == expected[language]
    assert words.number(123_456, compact=False) == "123,456"


def test_what_is_unknown_is_a_dash_and_never_a_nought(language: str) -> None:
    assert words.number(None) == words.number(float("nan")) == words.money(None) == "-"
    assert words.percent(Figure.ratio(0, 0)) == words.percent(Figure.ratio(3, None)) == "-"
    assert words.day(None) == words.moment(None) == words.distance(None) == "-"


def test_a_share_names_its_numerator_and_denominator(language: str) -> None:
    assert words.percent(Figure.ratio(120, 324)) == "37% (120/324)"
    assert words.percent(Figure.ratio(0, 5)) == "0% (0/5)"


def test_money_and_distances_are_said_as_people_say_them(language: str) -> None:
    assert words.money(123_456) == {"zh": "¥12.3万", "en": "¥123.5K"}[language]
    assert words.distance(850.4) == {"zh": "850 米", "en": "850 m"}[language]
    assert words.distance(1234) == {"zh": "1.2 公里", "en": "1.2 km"}[language]


def test_a_name_cannot_act_as_markdown() -> None:
    assert words.plain("a*b*[x](http://y) :red[z] $1$") == (r"a\*b\*\[x\]\(http\://y\) \:red\[z\] \$1\$")


def test_an_error_is_said_in_the_language_of_the_user(language: str) -> None:
    error = RightsError("You do not have the right to see or do this at this branch.")
    assert words.complaint(error) == say(error.message, language)  # type: ignore[arg-type]  # the fixture's language is one

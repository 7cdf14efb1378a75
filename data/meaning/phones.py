"""
Phone numbers: mobile and landline, as lists write them, in one form for comparing and one for reading.

Whole columns are read at once; only what that leaves open is looked at one by one, by `phonenumbers`.
Whatever is no number stays as it was written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.meaning import values

LONGEST = 200  # characters of a cell that are looked at
MOST_LEFT_OPEN = 20_000  # different texts that are looked at one by one
FEWEST_DIGITS = 7  # of a text that may hold a number

_LABEL = (
    r"(?i)^(?:(?:联系|公司|客服|服务|咨询|预订|订餐|固定)?(?:电话|手机号?码?|座机|热线)|总机|固话|"
    r"tel|phone|mobile|mob)[.:：\s]*"
)
_DECIMAL = r"^(\d{7,13})\.0$"  # what a spreadsheet makes of a number
_BETWEEN = r"\s*[;；/、,，|｜和或&]+\s*"
_NEXT = r"(\d{7})\s+(\+?86|\d{3,4}[-\s]?\d{7}|1[3-9]\d{9}|[2-9]\d{6})"  # a number begins behind a space
_INSIDE = r"[\s()（）\[\]\-‐‑–—－_.·]+"
# Leading 86, 0086 or +86, and a 0 that spreadsheets take off; the first reading that fits counts. No area is
# 000: numbers made up for a demonstration begin so.
_NUMBER = (
    r"^(?:(?:\+|00)?(?P<abroad>85[23][2-9]\d{7}|886[2-9]\d{7,8})"
    r"|(?:(?:\+|00)?86)?(?:0?(?P<mobile>1[3-9]\d{9})|(?P<free>[48]00\d{7})"
    r"|(?P<nobodys>000\d{8})|0?(?P<area>10|2\d)(?P<local>[2-9]\d{7})|0?(?P<far>[3-9]\d{2})(?P<there>[2-9]\d{6,7}))"
    r"|(?P<bare>[2-9]\d{6,7})|(?P<service>9[56]\d{3,4}|1[0-2]\d{1,3}))$"
)
_TAIWAN = r"^((?:\+|00)?886)0"
_EXTENSION = (
    r"(?i)^(?P<main>.*?\d)[\s()（）]*(?:转接?|分机号?|转分机|ext(?:ension)?\.?|x|#|\*|-|－|–|—)"
    r"\s*[:：]?\s*(?P<ext>\d{1,6})[\s)）]*$"
)
_AREA = r"^\+86(?P<area>10|2\d|[3-9]\d{2})[2-9]\d{6,7}$"


@dataclass(frozen=True)
class Phones:
    """
    A column of phone numbers, read.

    Parameters
    ----------
    normalised
        For comparing: +86, +852, +853 or +886 with the number; a landline whose area code nobody says, and
        a service number, as digits alone. Several are joined by ";", extensions left out; "" for none.
    shown
        For reading and storing: 13912345678, 010-83211441转801, 400-810-1234, +852 23456789; several
        joined by ";". A cell that is not understood to its end stands as it was written.
    junk
        Where something is written, and no number is in it.
    """

    normalised: pd.Series
    shown: pd.Series
    junk: NDArray[np.bool_]


def normalised(text: pd.Series) -> pd.Series:
    """Return phone numbers for comparing; see `Phones`."""
    return read(text).normalised


def shown(text: pd.Series) -> pd.Series:
    """Return phone numbers for reading; see `Phones`."""
    return read(text).shown


def read(text: pd.Series) -> Phones:
    """Read a column of phone numbers."""
    written = pc.fill_null(pa.array(values.present(values.tidy(text)), pa.string()), "")
    cells = pc.utf8_slice_codeunits(written, 0, LONGEST)
    cells = pc.replace_substring_regex(cells, _LABEL, "")
    cells = pc.replace_substring_regex(cells, _DECIMAL, r"\1")
    same, readable = _numbers(cells)
    left = pc.and_(pc.is_null(same), pc.not_equal(written, ""))
    if pc.any(left).as_py():
        several = _several(cells.filter(left))
        same = pc.replace_with_mask(same, left, several[0])
        readable = pc.replace_with_mask(readable, left, several[1])
    same = pc.fill_null(same, "")
    junk = pc.and_(pc.equal(same, ""), pc.not_equal(written, ""))
    return Phones(
        normalised=values.like(same, text),
        shown=values.like(pc.coalesce(readable, written), text),
        junk=np.asarray(junk.to_numpy(zero_copy_only=False), dtype=bool),
    )


def _numbers(cells: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return texts that are one number and nothing else, for comparing and for reading; null for the rest."""
    plain = pc.replace_substring_regex(cells, _INSIDE, "")
    plain = pc.replace_substring_regex(plain, _TAIWAN, r"\1")
    found = pc.extract_regex(plain, _NUMBER)

    def part(name: str) -> pa.Array:
        return pc.struct_field(found, name)

    area, local = _either(part("area"), part("far")), _either(part("local"), part("there"))
    free, abroad, mobile, nobodys = (part(name) for name in ("free", "abroad", "mobile", "nobodys"))
    short = _either(part("bare"), part("service"))
    same = _first(
        _joined("+86", mobile),
        _joined("+86", area, local),
        _joined("+86", free),
        _joined("+", abroad),
        nobodys,
        short,
    )
    readable = _first(
        mobile,
        _joined("0", area, "-", local),
        _joined(*(pc.utf8_slice_codeunits(free, *span) for span in ((0, 3), (3, 6), (6, 10))), between="-"),
        _joined("+", pc.utf8_slice_codeunits(abroad, 0, 3), " ", pc.utf8_slice_codeunits(abroad, 3)),
        _joined(pc.utf8_slice_codeunits(nobodys, 0, 3), "-", pc.utf8_slice_codeunits(nobodys, 3)),
        short,
    )
    return same, readable


def _either(one: pa.Array, other: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(one, ""), other, one)


def _joined(*parts: str | pa.Array, between: str = "") -> pa.Array:
    """Return parts joined, "" where the last of them has nothing to say."""
    return pc.if_else(pc.equal(parts[-1], ""), "", pc.binary_join_element_wise(*parts, between))


def _first(*choices: pa.Array) -> pa.Array:
    """Return the first that says something, null where none does."""
    nothing = pa.scalar(None, pa.string())
    return pc.coalesce(*(pc.if_else(pc.equal(choice, ""), nothing, choice) for choice in choices))


def _several(cells: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read cells with extensions or several numbers; null for reading where not all of one is understood."""
    for _ in range(2):  # a number between two others is met the second time
        cells = pc.replace_substring_regex(cells, _NEXT, r"\1;\2")
    lists = pc.split_pattern_regex(cells, _BETWEEN)
    frame = pd.DataFrame(
        {"row": pc.list_parent_indices(lists).to_numpy(), "part": lists.flatten().to_pandas()}
    )
    frame = frame[frame["part"].str.strip() != ""].reset_index(drop=True)
    same, readable = _parts(pa.array(frame["part"], pa.string()))
    frame["same"], frame["readable"] = _with_area(frame["row"], same, readable)
    frame["understood"] = frame["readable"].notna()
    whole = frame.groupby("row")["understood"].all().reindex(range(len(cells)), fill_value=False)
    found = frame[frame["same"].notna()].drop_duplicates(["row", "same"])
    for_reading = frame[frame["row"].map(whole)].drop_duplicates(["row", "readable"])
    return _rejoined(found, "same", len(cells)), _rejoined(for_reading, "readable", len(cells))


def _rejoined(frame: pd.DataFrame, column: str, count: int) -> pa.Array:
    """Return the parts of each row joined by ";", null for rows without one."""
    sizes = np.bincount(frame["row"].to_numpy(np.int64), minlength=count)
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, pa.array(frame[column], pa.string())), ";")
    return pc.if_else(pa.array(sizes > 0), joined, pa.scalar(None, pa.string()))


def _parts(parts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Read single numbers, with extensions, and at last what only a close look finds."""
    same, readable = _numbers(parts)
    split = pc.extract_regex(parts, _EXTENSION)
    main, extension = pc.struct_field(split, "main"), pc.struct_field(split, "ext")
    main_same, main_readable = _numbers(main)
    same = pc.coalesce(same, main_same)
    readable = pc.coalesce(readable, pc.binary_join_element_wise(main_readable, extension, "转"))
    left = pc.is_null(same)
    if pc.any(left).as_py():
        looked = _looked_at(parts.filter(left))
        same = pc.replace_with_mask(same, left, looked[0])
        readable = pc.replace_with_mask(readable, left, looked[1])
    return same, readable


def _with_area(rows: pd.Series, same: pa.Array, readable: pa.Array) -> tuple[pd.Series, pd.Series]:
    """Give a landline without area code that of the number before it in its row."""
    found, shown_as = same.to_pandas(), readable.to_pandas()
    area = pc.struct_field(pc.extract_regex(same, _AREA), "area").to_pandas()
    known = area.groupby(rows).ffill()
    bare = found.str.fullmatch(r"[2-9]\d{6,7}", na=False) & known.notna()
    if bare.any():
        found = found.mask(bare, "+86" + known + found)
        shown_as = shown_as.mask(bare, "0" + known + "-" + shown_as)
    return found, shown_as


def _looked_at(parts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Look at texts one by one: null for those without a number, for reading where words stand beside it."""
    different = pc.unique(parts)
    digits = pc.utf8_length(pc.replace_substring_regex(different, r"\D", ""))
    worth = different.filter(pc.greater_equal(digits, FEWEST_DIGITS))[:MOST_LEFT_OPEN].to_pylist()
    found = {text: _close_look(text) for text in worth}
    none: tuple[str | None, str | None] = (None, None)
    pairs = [found.get(text, none) for text in parts.to_pylist()]
    return pa.array([pair[0] for pair in pairs], pa.string()), pa.array(
        [pair[1] for pair in pairs], pa.string()
    )


def _close_look(text: str) -> tuple[str | None, str | None]:
    """Return the numbers in a text for comparing, and for reading where it holds nothing else."""
    import phonenumbers  # loading its tables takes a while, and most lists never need them

    matches = list(phonenumbers.PhoneNumberMatcher(text, "CN"))
    same = [
        phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164) for match in matches
    ]
    whole = len(matches) == 1 and matches[0].raw_string.strip() == text.strip()
    number = matches[0].number if whole else None
    form = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    readable = phonenumbers.format_number(number, form) if number is not None else None
    return ";".join(dict.fromkeys(same)) or None, readable

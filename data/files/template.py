"""An empty list to fill in: a workbook with headers in both languages, words to choose, and one example."""

from __future__ import annotations

import io
from typing import NamedTuple

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from data import catalogue
from data.words import Language, say
from geo.errors import N_, FileError

ROWS_TO_FILL = 5_000  # have the lists to choose from
WIDEST = 24
DATUMS = ("WGS84", "GCJ-02", "BD-09")
YES_NO = {"zh": ("是", "否"), "en": ("yes", "no")}


class _Column(NamedTuple):
    """A column of a template: its header, what its example row holds, and what there is to say of it."""

    zh: str
    en: str
    example: tuple[str | float, str | float]
    """In Chinese and in English."""
    note: str
    choices: str = ""
    """What is chosen from, a key of `_choices`."""
    needed: bool = False


def _same(value: str | float) -> tuple[str | float, str | float]:
    return value, value


_LON = _Column("经度", "longitude", _same(114.3), N_("In degrees, as 114.305393."), needed=True)
_LAT = _Column("纬度", "latitude", _same(30.5), N_("In degrees, as 30.593099."), needed=True)
_DATUM = _Column(
    "坐标系",
    "datum",
    _same("WGS84"),
    N_(
        "What the coordinates are in: WGS84 from GPS and OpenStreetMap, GCJ-02 from Gaode and Tencent, BD-09 "
        "from Baidu. The same in every row."
    ),
    "datum",
    True,
)
_PLACE = (_LON, _LAT, _DATUM)
_ADDRESS = _Column("地址", "address", ("示例路1号", "1 Example Road"), N_("As it is said to a driver."))
_PHONE = _Column("电话", "phone", _same("13800000000"), N_("Mobile or landline with its area code."))
_MANAGER = _Column("客户经理", "manager", ("示例经理", "Example Manager"), N_("Who looks after it, by name."))
_ID = N_("The same each time the list comes: then rows are updated and not added again.")
COLUMNS: dict[str, tuple[_Column, ...]] = {
    "merchants": (
        _Column("商户编号", "merchant id", _same("EX-0001"), _ID),
        _Column(
            "商户名称",
            "name",
            ("示例商户（请删除此行）", "Example shop (delete this row)"),
            N_("As on its sign."),
            "",
            True,
        ),
        _Column(
            "类别", "category", ("中餐馆", "Chinese restaurant"), N_("Choose from the list."), "category"
        ),
        *_PLACE,
        _ADDRESS,
        _PHONE,
        _Column("状态", "status", ("已知", "Known"), N_("How far the business with it is."), "status"),
        _MANAGER,
        _Column("营业时间", "hours", _same("09:00-21:00"), N_("As 09:00-21:00.")),
    ),
    "customers": (
        _Column("客户编号", "customer id", _same("EX-0001"), _ID),
        _Column(
            "姓名",
            "name",
            ("示例客户（请删除此行）", "Example (delete this row)"),
            N_("Of a person, or of a group."),
        ),
        *_PLACE,
        _Column(
            "是否存量",
            "existing",
            ("是", "yes"),
            N_("Yes: has an account here. No: a target customer."),
            "yes_no",
        ),
        _Column("客群", "group", ("老年储户", "Elderly savers"), N_("Choose from the list."), "group"),
        _Column("人数", "people", _same(1), N_("How many people the row stands for.")),
        _Column("客户等级", "tier", ("普通", "Ordinary"), N_("Choose from the list."), "tier"),
        _Column("存款余额", "deposits", _same(1000), N_("In yuan.")),
        _Column("家庭资产", "household assets", _same(2000), N_("In yuan, if known.")),
        _Column("重点客户", "key", ("否", "no"), N_("Whether it is a key customer."), "yes_no"),
        _MANAGER,
        _PHONE,
        _ADDRESS,
    ),
    "outlets": (
        _Column("网点编号", "outlet id", _same("EX-0001"), _ID),
        _Column(
            "网点名称",
            "name",
            ("示例银行示例支行（请删除此行）", "Example Bank (delete this row)"),
            N_("As on its sign."),
            "",
            True,
        ),
        _Column("网点类型", "kind", ("银行", "Bank"), N_("Choose from the list."), "outlet"),
        _Column("所属银行", "bank", ("示例银行", "Example Bank"), N_("The brand.")),
        *_PLACE,
        _ADDRESS,
        _PHONE,
    ),
    "places": (
        _Column("小区编号", "place id", _same("EX-0001"), _ID),
        _Column(
            "名称",
            "name",
            ("示例小区（请删除此行）", "Example community (delete this row)"),
            N_("As people call it."),
            "",
            True,
        ),
        _Column("类型", "kind", ("社区", "Community"), N_("Choose from the list."), "place"),
        *_PLACE,
        _Column("户数", "households", _same(100), N_("A number.")),
        _Column("人口", "adults", _same(200), N_("A number.")),
        _Column("员工数", "employees", _same(10), N_("A number.")),
        _ADDRESS,
    ),
}


def workbook(kind: str, language: Language) -> bytes:
    """
    Return an XLSX to fill in: headers and choices, one example row, and a sheet that explains the columns.

    Parameters
    ----------
    kind
        Of list: merchants, customers, outlets or places.
    language
        Of the choices, the example and the explanations; headers are in both.
    """
    if kind not in COLUMNS:
        raise FileError(
            N_("There are no lists of {kind}; there are {kinds}."), kind=kind, kinds=", ".join(COLUMNS)
        )
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True, "bg_color": "#e8eef4", "text_wrap": True, "valign": "top"})
        text = book.add_format({"num_format": "@"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(say(N_("List"), language))
        notes = book.add_worksheet(say(N_("Notes"), language))
        options = book.add_worksheet(say(N_("Choices"), language))
        _write_list(sheet, kind, language, bold, text)
        _write_notes(notes, kind, language, bold, wrapped)
        _offer(sheet, options, kind, language)
    return out.getvalue()


def _write_list(sheet: Worksheet, kind: str, language: Language, bold: Format, text: Format) -> None:
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(COLUMNS[kind]):
        header = f"{column.zh} ({column.en})"
        example = column.example[language == "en"]
        # Identifiers and phones are text: a spreadsheet takes their leading zeros away.
        width = min(max(len(header), 2 * len(str(example))) + 2, WIDEST)
        sheet.set_column(at, at, width, text if isinstance(example, str) else None)
        sheet.write_string(0, at, header, bold)
        sheet.write(1, at, example)


def _write_notes(sheet: Worksheet, kind: str, language: Language, bold: Format, wrapped: Format) -> None:
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 10)
    sheet.set_column(2, 2, 80)
    for at, title in enumerate((N_("Column"), N_("Needed"), N_("What it holds"))):
        sheet.write_string(0, at, say(title, language), bold)
    for row, column in enumerate(COLUMNS[kind], start=1):
        sheet.write_string(row, 0, f"{column.zh} ({column.en})", wrapped)
        sheet.write_string(row, 1, YES_NO[language][not column.needed], wrapped)
        sheet.write_string(row, 2, say(column.note, language), wrapped)
    more = N_("Columns that are not needed may be left out, others may be added. Delete the example row.")
    sheet.write_string(len(COLUMNS[kind]) + 2, 0, say(more, language))


def _offer(sheet: Worksheet, options: Worksheet, kind: str, language: Language) -> None:
    """Write what is chosen from on a sheet of its own, and bind the columns to it."""
    for at, column in enumerate(COLUMNS[kind]):
        if not column.choices:
            continue
        choices = _choices(column.choices, language)
        options.set_column(at, at, WIDEST)
        options.write_column(0, at, choices)
        name = options.get_name().replace("'", "''")
        letter = chr(ord("A") + at)
        sheet.data_validation(
            1,
            at,
            ROWS_TO_FILL,
            at,
            {
                "validate": "list",
                "source": f"='{name}'!${letter}$1:${letter}${len(choices)}",
                "error_type": "warning",  # a word of one's own may stand there: it is mapped when it comes in
            },
        )


def _choices(of: str, language: Language) -> list[str]:
    if of == "datum":
        return list(DATUMS)
    if of == "yes_no":
        return list(YES_NO[language])
    if of == "category":
        return catalogue.CATEGORIES[language].tolist()
    if of == "group":
        return catalogue.GROUPS[language].tolist()
    if of == "tier":
        return [getattr(tier, language) for tier in catalogue.TIERS]
    names = {
        "status": catalogue.STATUS_NAMES,
        "outlet": catalogue.OUTLET_NAMES,
        "place": catalogue.PLACE_NAMES,
    }[of]
    return [say(name, language) for name in names.values()]

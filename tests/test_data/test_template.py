"""The empty list to fill in is a list that comes in as it is."""

from __future__ import annotations

import io
import zipfile

import pandas as pd
import pytest

from data import catalogue
from data.files import readers, template
from data.lists.survey import survey_of
from data.meaning import headers, kinds, values
from data.words import LANGUAGES, Language
from geo.errors import FileError


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", template.COLUMNS)
def test_every_column_of_a_template_is_known_and_its_one_row_is_taken(kind: str, language: Language) -> None:
    table = readers.open_table(template.workbook(kind, language), name="list.xlsx")
    assert table.has_header and len(table.sheets) == 3 and table.sheet == table.sheets[0]
    (pair,) = headers.coordinate_pairs(table.headers)
    proposed = headers.propose(table.headers, kind)
    known = {pair.lon, pair.lat, *proposed.values()}
    assert [header for header in table.headers if header not in known] == ["坐标系 (datum)"]
    survey = survey_of(table, kind, None, "auto", lambda _: None)
    assert survey.reason.tolist() == [0]
    assert survey.said == {"WGS84"}
    assert not survey.warnings


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", template.COLUMNS)
def test_a_template_offers_words_to_choose(kind: str, language: Language) -> None:
    with zipfile.ZipFile(io.BytesIO(template.workbook(kind, language))) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    offered = [column for column in template.COLUMNS[kind] if column.choices]
    assert offered and sheet.count("<dataValidation ") == len(offered)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("of", "codes"),
    [
        ("status", list(catalogue.STATUSES)),
        ("tier", list(catalogue.TIER_CODES)),
        ("group", catalogue.GROUPS["code"].tolist()),
        ("outlet", list(catalogue.OUTLET_KINDS)),
        ("place", list(catalogue.PLACE_KINDS)),
    ],
)
def test_every_word_to_choose_means_what_it_says(of: str, codes: list[str], language: Language) -> None:
    found, unknown = values.codes(pd.Series(template._choices(of, language), dtype="str"), of)
    assert found.tolist() == codes
    assert not unknown.any()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_category_to_choose_is_taken_as_itself_or_its_kin(language: Language) -> None:
    found = kinds.category_codes(pd.Series(template._choices("category", language), dtype="str"))
    id_of = dict(zip(catalogue.CATEGORIES["code"], catalogue.CATEGORIES["id"], strict=True))
    tops = catalogue.top_of()
    for code, meant in zip(found, catalogue.CATEGORIES["id"], strict=True):
        assert tops[id_of[code]] == tops[meant]


def test_there_is_no_template_of_what_there_is_no_list_of() -> None:
    with pytest.raises(FileError, match="no lists of"):
        template.workbook("visits", "en")

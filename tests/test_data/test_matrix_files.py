"""The matrix as a file: out and in again, and every fault named by row and column in both languages."""

from __future__ import annotations

import pandas as pd
import pytest

from data import export, store
from data.alliances import matrix_files
from data.alliances.matrix import Row, matrix, shipped, shipped_rows
from data.alliances.matrix_rows import rows, save_row
from data.rights import Role, command_line
from geo.errors import DataError, FileError, RightsError

GOOD = "cinema,funeral,complement,0.2,散场,After the film\n"
HEADER = "a,b,relation,strength,zh,en\n"


def read(text, name="matrix.csv"):
    return matrix_files.read_matrix(text.encode(), name=name)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_taken_out_says_the_same_when_it_comes_in(sqlite_town, form, language):
    lead = sqlite_town.asker(Role.LEAD)
    with store.transaction(sqlite_town.engine) as session:
        save_row(session, lead, Row("cinema", "funeral", "compete", 0.25, "=1+1", "why, with a comma"), 0)
        file = matrix_files.taken_out(session, lead, form, language)
        found = matrix_files.read_matrix(file, name=f"matrix.{form}")
        assert (found.faults, found.doubled, found.total) == ((), 0, len(shipped_rows()) + 1)
        counts = matrix_files.bring_in(session, lead, found)
    assert counts == {"saved": 0, "reset": 0, "same": len(shipped_rows()) + 1, "refused": 0}


def test_a_file_is_the_banks_own_over_the_shipped_one_and_other_pairs_stay(town):
    lead = town.asker(Role.LEAD)
    text = HEADER + "影院,殡葬,互补,20%,散场,After the film\nhospital,Pharmacy,竞争,1,抢处方,Rivals\n"
    with store.transaction(town.engine) as session:
        save_row(session, lead, Row("bar", "funeral", "complement", 0.1, "酒", "Drink"), 0)
        counts = matrix_files.bring_in(session, lead, read(text))
        assert counts == {"saved": 2, "reset": 0, "same": 0, "refused": 0}
        told = rows(session, lead)
        own = told[told["own"]].set_index(["a", "b"])
        assert own["strength"].to_dict() == {
            ("bar", "funeral"): 0.1,
            ("funeral", "cinema"): 0.2,
            ("hospital", "pharmacy"): 1.0,
        }
        back = next(row for row in shipped_rows() if (row.a, row.b) == ("hospital", "pharmacy"))
        again = HEADER + f"{back.b},{back.a},{back.relation},{back.strength},{back.zh},{back.en}\n"
        assert matrix_files.bring_in(session, lead, read(again))["reset"] == 1
        assert (matrix(session).competes == shipped().competes).all()


def test_every_fault_is_named_by_row_and_column_and_the_good_rows_are_taken_if_wanted(town):
    text = (
        HEADER
        + GOOD  # row 2
        + "spaceport,bar,complement,0.5,好,good\n"  # 3: no category
        + "bar,cafe,friends,1.5,好,\n"  # 4: three faults
        + "bar,hostel,complement,0.5,好,good\n"  # 5 and 6: opposite
        + "hostel,bar,compete,0.5,好,good\n"
        + "bar,gym,complement,0.5,好,good\n"  # 7 and 8: two strengths
        + "bar,gym,complement,0.6,好,good\n"
        + "bar,pet,complement\n"  # 9: too short
        + GOOD  # 10: said before
    )
    found = read(text)
    assert found.rows == (Row("funeral", "cinema", "complement", 0.2, "散场", "After the film"),)
    assert (found.total, found.refused, found.doubled) == (9, 7, 1)
    assert [(fault.row, fault.column) for fault in found.faults] == [
        (3, "a"),
        (4, "relation"),
        (4, "strength"),
        (4, "en"),
        (5, "relation"),
        (6, "relation"),
        (7, "strength"),
        (8, "strength"),
        (9, ""),
    ]
    english = found.table("en")["What is wrong"].tolist()
    assert english[0] == "There is no category “spaceport”."
    assert english[2:5] == [
        "“1.5” is no strength: it is a number from 0 to 1.",
        "The reason is missing.",
        "Row 6 says the opposite of the same two categories.",
    ]
    assert found.table("zh")["问题"].tolist()[0] == "没有“spaceport”这个行业类别。"
    lead = town.asker(Role.LEAD)
    with store.transaction(town.engine) as session:
        with pytest.raises(DataError, match="7 of 9 rows"):
            matrix_files.bring_in(session, lead, found)
        assert matrix(session) is shipped()
        counts = matrix_files.bring_in(session, lead, found, agreed=True)
        assert counts == {"saved": 1, "reset": 0, "same": 0, "refused": 7}
        told = store.audit_rows(session, command_line("tests")).iloc[0]
    assert (told["action"], told["detail"]) == ("import matrix", counts)


@pytest.mark.parametrize("strength", ["", "strong", "-0.1", "101%", "nan", "inf"])
def test_a_strength_is_a_number_from_nothing_to_one(strength):
    assert [fault.column for fault in read(f"{HEADER}bar,gym,complement,{strength},好,good\n").faults] == [
        "strength"
    ]


def test_a_reason_is_not_a_novel():
    found = read(f"{HEADER}bar,gym,complement,1,{'好' * 201},good\n")
    assert [(fault.column, len(fault.value)) for fault in found.faults] == [("zh", 100)]


def test_a_file_without_a_column_or_a_row_is_refused():
    with pytest.raises(FileError, match="no column Strength, Why, in English"):
        read("a,b,relation,zh\nbar,gym,complement,好\n")
    with pytest.raises(FileError, match="a header and no rows"):
        read(HEADER)


def test_a_workbook_with_chinese_headers_is_read():
    frame = pd.DataFrame(
        [["酒吧", "健身房", "互补", 0.5, "好", "good"]],
        columns=["一方类别", "另一方类别", "关系", "强度", "中文理由", "英文理由"],
    )
    found = matrix_files.read_matrix(export.to_xlsx({"表": frame}), name="互补.xlsx")
    assert found.rows == (Row("bar", "gym", "complement", 0.5, "好", "good"),)


def test_only_who_may_edit_brings_a_file_in_and_who_may_read_takes_it_out(sqlite_town):
    analyst = sqlite_town.asker(Role.ANALYST)
    with store.transaction(sqlite_town.engine) as session:
        assert matrix_files.taken_out(session, analyst, "csv", "zh")
        with pytest.raises(RightsError):
            matrix_files.bring_in(session, analyst, read(HEADER + GOOD))

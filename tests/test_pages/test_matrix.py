"""The tab of which trades go together: read by all, changed by those who may, brought in and taken out."""

from __future__ import annotations

import pandas as pd
import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from data import store
from data.alliances import matrix_rows
from data.alliances.evidence import COLUMNS
from data.alliances.matrix import Row, matrix, shipped
from data.rights import Role
from pages.parts import beside, matrix_file, matrix_reads, state
from tests.test_pages.conftest import ME, Visit
from tests.test_pages.conftest import texts as marked
from tests.test_pages.test_hand import keys, press

PAIR = ("hospital", "pharmacy")
EVIDENCE = pd.DataFrame(
    [
        ("pharmacy", "hospital", 1.9, 0.01, 0.25, 4.0, "raise"),
        ("hospital", "pharmacy", 1.6, 0.04, 0.25, 4.0, "agree"),
        ("funeral", "cinema", 3.0, 0.01, 0.3, 90.0, "raise"),
        ("hotel", "travel_agency", 1.7, 0.01, 0.3, 90.0, "agree"),
    ],
    columns=list(COLUMNS),
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is worked out beside the page be done when it is asked for, and our own data say one thing."""
    monkeypatch.setattr(beside, "found", lambda _key, task, **_more: task())
    monkeypatch.setattr(matrix_reads.our_data, "evidence", lambda *_given: EVIDENCE)


def texts(app: AppTest) -> str:
    """Return what the page says, without the marks that keep names from being Markdown."""
    assert not app.exception
    return marked(app).replace("\\", "")


def looked_at(visit: Visit, role: Role = Role.LEAD, lang: str = "en") -> AppTest:
    """Open the tab and choose a pair, as a click in the list does."""
    app = visit("alliances", role=role, part="trades", lang=lang)
    app.session_state[f"{state.MATRIX}_pair"] = PAIR
    return app.run()


def read_row(engine: Engine) -> pd.Series:
    with store.reading(engine) as session:
        rows = matrix_rows.rows(session, ME)
    return rows.set_index(["a", "b"]).loc[PAIR]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("role", [Role.LEAD, Role.MEMBER])
def test_the_pairs_are_listed_with_why_and_what_our_data_say(
    visit: Visit, seeded: int, role: Role, lang: str
) -> None:
    app = visit("alliances", role=role, part="trades", lang=lang)
    assert not app.error
    shown = app.dataframe[0].value
    row = shown[(shown.iloc[:, 0] == {"zh": "医院", "en": "Hospital"}[lang])].iloc[:, 1:].values.tolist()
    told = next(each for each in row if each[0] == {"zh": "药店", "en": "Pharmacy"}[lang])
    assert told[2:5] == [0.8, 1.9, 0.01]
    assert told[5:] == [
        "-" if role is Role.MEMBER else "25%",  # of four customers
        {"zh": "本地更强", "en": "stronger here"}[lang],
        {"zh": "出院带药、续方取药", "en": "Prescriptions are filled across the street"}[lang],
    ]


def test_pairs_our_data_say_otherwise_of_are_listed_with_those_nothing_is_said_of(
    visit: Visit, seeded: int
) -> None:
    app = visit("alliances", role=Role.LEAD, part="trades")
    app.session_state[f"{state.MATRIX}_shown"] = "otherwise"
    shown = app.run().dataframe[0].value
    assert not app.exception
    assert shown.iloc[:, :3].values.tolist() == [
        ["Hospital", "Pharmacy", "Complement"],
        ["Funeral services", "Cinema", "-"],
    ]


def test_a_pair_is_changed_and_goes_back(visit: Visit, seeded: int, sqlite_engine: Engine) -> None:
    app = press(looked_at(visit), f"{state.MATRIX}_edit")
    assert "Hospital × Pharmacy" in texts(app)
    slider = next(each for each in app.slider if each.key.endswith("_strength"))
    slider.set_value(0.35)
    app.run()
    save = next(key for key in keys(app) if key.startswith(state.MATRIX) and key.endswith("_save"))
    app = press(app, save)
    assert "saved as the bank's own" in texts(app)
    assert (read_row(sqlite_engine)["strength"], read_row(sqlite_engine)["own"]) == (0.35, True)
    assert "0.35" in texts(app)
    app = press(app, f"{state.MATRIX}_reset")
    assert "as shipped again" in texts(app)
    assert (read_row(sqlite_engine)["strength"], read_row(sqlite_engine)["own"]) == (0.8, False)


def test_what_our_data_say_is_adopted(visit: Visit, seeded: int, sqlite_engine: Engine) -> None:
    app = looked_at(visit)
    assert "side by side 1.90 times as often as by chance (p 0.01)" in texts(app)
    press(app, f"{state.MATRIX}_adopt")
    told = read_row(sqlite_engine)
    assert (told["strength"], told["own"], told["by"]) == (1.0, True, "demo:lead")


def test_a_stale_change_is_refused_and_nothing_typed_is_lost(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    app = press(looked_at(visit), f"{state.MATRIX}_edit")
    with store.transaction(sqlite_engine) as session:
        matrix_rows.save_row(session, ME, Row(*PAIR, "complement", 0.1, "早一步", "first"), 0)
    save = next(key for key in keys(app) if key.startswith(state.MATRIX) and key.endswith("_save"))
    app = press(app, save)
    assert "cli:" in texts(app) or "has changed this row" in texts(app)
    assert read_row(sqlite_engine)["strength"] == 0.1
    over = next(key for key in keys(app) if key.endswith("_over"))
    press(app, over)
    assert read_row(sqlite_engine)["strength"] == 0.8


def test_a_pair_nothing_is_said_of_can_be_begun(visit: Visit, seeded: int) -> None:
    app = visit("alliances", role=Role.LEAD, part="trades")
    app.selectbox(key=f"{state.MATRIX}_add_a").set_value("funeral")
    app.selectbox(key=f"{state.MATRIX}_add_b").set_value("cinema")
    app.run()
    app = press(app, f"{state.MATRIX}_add_go")
    assert "Nothing is said of these two." in texts(app)
    assert f"{state.MATRIX}_edit" in keys(app)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.ANALYST])
def test_who_may_only_read_is_offered_no_change(visit: Visit, seeded: int, role: Role) -> None:
    app = looked_at(visit, role)
    assert "Hospital × Pharmacy" in texts(app)
    own = [key for key in keys(app) if key and key.startswith(state.MATRIX)]
    assert not [key for key in own if key.endswith(("_edit", "_adopt", "_reset", "_go"))]


def test_reach_and_groups_are_changed_and_go_back(visit: Visit, seeded: int, sqlite_engine: Engine) -> None:
    app = visit("alliances", role=Role.LEAD, part="trades")
    app.session_state[f"{state.MATRIX}_view"] = "terms"
    app.session_state[f"{state.MATRIX}_term"] = "breakfast"
    app = press(app.run(), f"{state.MATRIX}_term_edit")
    next(each for each in app.number_input if each.key.endswith("_reach")).set_value(450)
    next(each for each in app.multiselect if each.key.endswith("_serves")).set_value(["students"])
    app.run()
    save = next(key for key in keys(app) if key.startswith(f"{state.MATRIX}_term") and key.endswith("_save"))
    app = press(app, save)
    with store.reading(sqlite_engine) as session:
        told = matrix_rows.terms(session, ME).set_index("code").loc["breakfast"]
    assert (told["reach_m"], told["serves"], told["own"]) == (450, ("students",), True)
    press(app, f"{state.MATRIX}_term_reset")
    with store.reading(sqlite_engine) as session:
        assert (matrix(session).reach_m == shipped().reach_m).all()


def test_a_file_with_faults_is_told_and_its_good_rows_are_taken(
    visit: Visit, seeded: int, sqlite_engine: Engine
) -> None:
    app = visit("alliances", role=Role.LEAD, part="trades")
    app.session_state[f"{state.MATRIX}_view"] = "file"
    app.run()
    rows = (
        "a,b,relation,strength,zh,en",
        "hospital,pharmacy,complement,0.4,好,good",
        "bar,nix,compete,3,好,good",
    )
    text = "\n".join(rows)
    app.file_uploader[0].upload("matrix.csv", text.encode(), "text/csv")
    app.run()
    assert "2 rows · one is right · one is not" in texts(app)
    assert app.dataframe[0].value.iloc[:, [0, 1]].values.tolist() == [[3, "b"], [3, "strength"]]
    app = press(app, f"{state.MATRIX}_bring")
    assert "1 pairs are the bank's own now" in texts(app)
    assert read_row(sqlite_engine)["strength"] == 0.4


def test_who_may_not_edit_takes_the_file_out_only(visit: Visit, seeded: int) -> None:
    app = visit("alliances", role=Role.MEMBER, part="trades")
    app.session_state[f"{state.MATRIX}_view"] = "file"
    app.run()
    assert not app.exception and not app.get("file_uploader")
    assert len(app.get("download_button")) == 2
    assert matrix_file.TYPES[0] == "csv"

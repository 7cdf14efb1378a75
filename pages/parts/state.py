"""
What the user did and we cannot recompute: every key of the session and every parameter of the URL.

Nothing outside this module spells a key. The URL keeps the view (a refresh or a shared link shows the
same ground) and grants nothing: who asks is never in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import streamlit as st

from data.rights import Role

T = TypeVar("T")

# In the URL; also in the session, since a change of page empties the URL.
LANGUAGE = "lang"
BRANCH = "branch"
# The customer map's, in the URL and the session likewise.
VIEW = "at"
LAYERS = "layers"
BASEMAP = "base"
METRIC = "cells"
RADIUS = "r"
OUTSIDE = "outside"
BASIS = "basis"
RINGS = "rings"
FILTERS = ("cat", "status", "group", "tier")
# In the session only.
ROLE = "role"
MAP = "map"  # what the map last told
PIN_MAP = "pin_map"
_CLICK = "map_click"
_DRAWN = "map_drawn"
_HEARD = "map_heard"
_MAP_BRANCH = "map_branch"
_FLIGHT = "map_flight"
_DRAWN_VIEW = "map_drawn_view"
_SELECTED = "map_selected"
SEARCH = "search"
CARD = "card"
GROUP_TABLE = "group_table"
CATEGORY_TABLE = "category_table"
_CELL = "cell"
CLOSE = "close_card"
ASIDE = "aside"
HAND = "hand"  # buttons of the work by hand
UNPLACED = "unplaced"
MORE = "more"
DOUBLE = "double"
HITS = "search_hits"
_HAND_FIELD = "hand_field_"
_BY_HAND = "by_hand"
_SPOT = "hand_spot"
_OPENED = "hand_opened"
_WAITING = "hand_waiting"
_DONE = "hand_done"
FARTHEST = "farthest"
OUTLIER = "outlier"
TABLE = "table"
TAKE_LAYER = "take_layer"
TAKE_FORM = "take_form"
TAKE_DATUM = "take_datum"
TAKE_FILE = "take_file"
TAKE_PAPER = "take_paper"
AUDIT_TABLE = "audit_table"
FILTER_BOX = "filter_box"
# Of the page of imports.
IMPORT_KIND = "import_kind"
LOOK = "import_look"
PLAN = "import_plan"
SHEET = "import_sheet"
ENCODING = "import_encoding"
HEADER = "import_header"
SHEET_PICKED = "import_sheet_picked"
HEADER_PICKED = "import_header_picked"
KNOWN_FILE = "import_known_file"
ANYWAY = "import_anyway"
TEMPLATE = "import_template"
COLUMN = "import_column"
COLUMNS_SHOWN = "import_columns_shown"
COLUMNS_RIGHT = "import_columns_right"
CONFIRM = "import_confirm"
SOURCE = "import_source"
FORGET = "import_forget"
DATUM = "import_datum"
CANDIDATE = "import_candidate"
CANDIDATE_MAP = "import_candidate_map"
WORD = "import_word"
WORDS_FORM = "import_words_form"
WORDS_LEFT = "import_words_left"
WORDS_OTHER = "import_words_other"
POLICY = "import_policy"
POLICY_PICKED = "import_policy_picked"
PAIRS_LATER = "import_pairs_later"
PAIR = "import_pair"
PAIR_PAGE = "import_pair_page"
SNAPSHOT = "import_snapshot"
SNAPSHOT_PICKED = "import_snapshot_picked"
CLOSE_MISSING = "import_close_missing"
CHANGES_MAP = "import_changes_map"
AGREED = "import_agreed"
RUN = "import_run"
UNDO = "import_undo"
UNDO_HOW = "import_undo_how"
COMPARE = "import_compare"
COMPARE_WITH = "import_compare_with"
_NOTE = "import_note"
HISTORY = "import_history"
REVIEW = "import_review"
REPORT = "import_report"
_WORDS = "import_words"
_DECISIONS = "import_decisions"
_READY = "import_ready"
_STOPPED = "import_stopped"
BEGIN = "import_begin"
STOP_READING = "import_stop_reading"
_UPLOADS = "import_uploads"
_WORK = "work"
MAKE_DEMO = "make_demo"
STOP = "stop"
KEPT_AT_ONCE = 24
# Of the page of zones: the plan and the zone in the URL too, the rest in the session only.
ZONE_PLAN = "plan"
ZONE = "zone"
ZONE_LAYERS = "under"
ZONE_MAP = "zone_map"
ZONE_GROUND = "zone_ground"
ZONE_WORK = "zone_work"  # the part of the page that a stroke runs anew
ZONE_LIST = "zone_list"
ZONE_CARD = "zone_card"
ZONE_TABS = "zone_tabs"
ZONE_RULES = "zone_rules"
ZONE_PLANS = "zone_plans"  # what is done with a plan as a whole
ZONE_DESIGN = "zone_design"
ZONE_FRAME = "zone_frame"
ZONE_FILE = "zone_file"
ZONE_TAKE = "zone_take"
ZONE_UNDO = "zone_undo"
ZONE_WAITS = "zone_waits"
ZONE_OTHER = "zone_other"  # a plan compared with
ZONE_BEGIN = "zone_begin"
ZONE_TOOL = "zone_tool"
ZONE_WIDTH = "zone_width"
ZONE_PAINTED = "zone_painted"
ZONE_SNAP = "zone_snap"
ZONE_TO_BLOCKS = "zone_to_blocks"
_ZONE_AIMED = "zone_aimed"
_ZONE_WAY = "zone_way"
_ZONE_SEEN = "zone_seen"
_ZONE_LISTED = "zone_listed"
_ZONE_PENDING = "zone_pending"
_ZONE_NOTES = "zone_notes"
_ZONE_BARRIER = "zone_barrier"
_ZONE_JOB = "zone_job"
_ZONE_PARTNER = "zone_partner"
# Of the page of coverage: what shades the map and what customers are a share of in the URL too.
SHADE = "shade"
REACHABLE = "of"
COVERAGE_MAP = "coverage_map"
COVERAGE_WORK = "coverage_work"  # the part of the page that a click on the map runs anew
COVERAGE_COLUMNS = "coverage_columns"
COVERAGE_TABLE = "coverage_table"
COVERAGE_TABS = "coverage_tabs"
COVERAGE_CARD = "coverage_card"
ADVICE = "advice"
# Of the page of clusters: what was looked at, how finely, and the cluster chosen in the URL too.
CLUSTER_LAYER = "crowd"
CLUSTER_SCALE = "scale"
CLUSTER = "cluster"
CLUSTER_MAP = "cluster_map"
CLUSTER_WORK = "cluster_work"  # the part of the page that a click on the map runs anew
CLUSTER_TABLE = "cluster_table"
CLUSTER_CARD = "cluster_card"
CLUSTER_ZONE = "cluster_zone"
_CLUSTER_ASKED = "cluster_asked"
# Of visits, and of the page of teams: the tab and the person in the URL too, the rest in the session only.
VISIT = "visit"
TEAM_TAB = "tab"
TEAM_PERSON = "who"
TEAM_POSTS = "team_posts"
TEAM_GROUP = "team_group"
TEAM_PAIRS = "team_pairs"
TEAM_PLAN = "team_plan"
TEAM_VISITS = "team_visits"
PLAYBOOK = "playbook"
_TEAM_PLAN_NEXT = "team_plan_next"
# Of the page of alliances: its part, what partners are looked for, and what was chosen in the URL too.
ALLIANCE_PART = "part"
PARTNER_GROUND = "for"
PARTNER_MERCHANT = "shop"
PARTNER_WITHIN = "within"
PARTNER_VIEW = "links"
PARTNER_PAIR = "pair"
ALLIANCE = "alliance"
ALLIANCE_VIEW = "view"
ALLIANCE_MOST = "most"
PROPOSAL = "proposal"
ALLIANCE_MAP = "alliance_map"
ALLIANCE_WORK = "alliance_work"  # the part of the page that a click on the map runs anew
PARTNER_LIST = "partner_list"
PARTNER_FORM = "partner_form"
PARTNER_SEARCH = "partner_search"
ALLIANCE_LIST = "alliance_list"
PROPOSAL_LIST = "proposal_list"
MATRIX = "matrix"  # which trades go together
ALLIANCE_FORM = "alliance_form"
MEMBER = "alliance_member"
_BEING_CHANGED = "alliance_opened"
_ALLIANCE_SEEN = "alliance_seen"
# Of the page of branches.
OPEN_BRANCH = "open_branch"
FEED_BRANCH = "feed_branch"
NEW_NAME = "new_branch_name"
NEW_CODE = "new_branch_code"
NEW_POSITION = "new_branch_position"
NEW_DATUM = "new_branch_datum"
_PIN = "new_branch_pin"


def _kept(name: str) -> str | None:
    """Return a parameter of the URL, or else what it was before the page changed, put back into the URL."""
    if name in st.query_params:
        st.session_state[f"kept_{name}"] = st.query_params[name]
    elif f"kept_{name}" in st.session_state:
        st.query_params[name] = st.session_state[f"kept_{name}"]
    return st.session_state.get(f"kept_{name}")


def choice(name: str) -> str | None:
    """Return what was chosen on another page; None where nothing was."""
    value: str | None = st.session_state.get(f"kept_{name}")
    return value


def _keep(name: str, value: str) -> None:
    st.query_params[name] = st.session_state[f"kept_{name}"] = value


def heed_url() -> None:
    """Take the language from the URL, or put it back there; once a run, as every word asks for it."""
    _kept(LANGUAGE)


def language() -> str | None:
    """Return the language the user chose; None for the browser's."""
    chosen: str | None = st.session_state.get(f"kept_{LANGUAGE}")
    return chosen


def choose_language(language: str) -> None:
    """Keep the language chosen."""
    _keep(LANGUAGE, language)


def branch_code() -> str | None:
    """Return the code of the branch looked at; None before one was chosen."""
    return _kept(BRANCH)


def choose_branch(code: str) -> None:
    """Keep the branch chosen."""
    _keep(BRANCH, code)


def role() -> Role:
    """Return the role of the demo identity."""
    return Role(st.session_state.get(ROLE, Role.HEAD.value))


def choose_role(role: Role) -> None:
    """Keep the role the demo identity takes."""
    st.session_state[ROLE] = role.value


def forget_branch() -> None:
    """Look at no branch in particular: the one looked at is gone."""
    _forget(BRANCH)


def _forget(name: str) -> None:
    st.session_state.pop(f"kept_{name}", None)
    st.query_params.pop(name, None)


# Choices that live in the URL ----------------------------------------------------------------------------


def seed(name: str, parse: Callable[[str], T], default: T) -> str:
    """
    Fill a widget's key from the URL, wherever the URL says something the widget does not know yet.

    Parameters
    ----------
    name
        Of the parameter, and key of the widget.
    parse
        Makes the widget's value of the parameter's text; raises ValueError when the text is none.
    default
        Without a parameter, or with one that makes no sense: whatever stands in a URL was typed by anybody.

    Returns
    -------
    key
        To draw the widget with, and `value(key)` as its default: what a run that is broken off told the
        browser of a key is lost, and the next run does not say it again. Afterwards hand its value to `keep`.
    """
    text = _kept(name)
    if name not in st.session_state or st.session_state.get(f"seen_{name}") != text:
        try:
            st.session_state[name] = default if text is None else parse(text)
        except ValueError:
            st.session_state[name] = default
    st.session_state[f"seen_{name}"] = text
    return name


def value(name: str) -> Any:
    """Return what a seeded widget stands at."""
    return st.session_state[name]


def within(name: str, known: Container[object], default: object) -> None:
    """Put a widget's value back to its default when what it is chosen from no longer has it."""
    if st.session_state[name] not in known:
        st.session_state[name] = default


def follow(name: str, most: int) -> None:
    """Let a slider that stands at its right end stay there when the end moves; no value lies beyond it."""
    end = f"end_of_{name}"
    if st.session_state[name] > most or st.session_state[name] == st.session_state.get(end):
        st.session_state[name] = most
    st.session_state[end] = most


def keep(name: str, text: str | None) -> None:
    """Keep a choice in the URL; None, the default, leaves no parameter."""
    st.session_state[f"seen_{name}"] = text
    if text is None:
        if name in st.query_params or f"kept_{name}" in st.session_state:
            _forget(name)
    elif st.query_params.get(name) != text or st.session_state.get(f"kept_{name}") != text:
        _keep(name, text)


# The map -------------------------------------------------------------------------------------------------


class View(NamedTuple):
    """Where the map looks: WGS 84."""

    lon: float
    lat: float
    zoom: float


class Selected(NamedTuple):
    """What was clicked or found: a feature, or a spot among customers' cells of a zoom (`row_id` is None)."""

    layer: str
    row_id: int | None
    lon: float
    lat: float
    zoom: float = 0


def view() -> View | None:
    """Return where the map looks; None before anybody moved it."""
    text = _kept(VIEW)
    try:
        lon, lat, zoom = (float(part) for part in (text or "").split(","))
    except ValueError:
        return None
    sound = (
        all(map(math.isfinite, (lon, lat, zoom))) and abs(lon) <= 180 and abs(lat) <= 85 and 1 <= zoom <= 20
    )
    return View(lon, lat, zoom) if sound else None


def keep_view(view: View) -> None:
    """Keep where the map looks."""
    text = f"{view.lon:.5f},{view.lat:.5f},{view.zoom:g}"
    if st.query_params.get(VIEW) != text:
        _keep(VIEW, text)


def forget_view() -> None:
    """Let the map show the whole circle again."""
    _forget(VIEW)
    st.session_state[_FLIGHT] = flights() + 1


def fly_to(view: View) -> None:
    """Send the map somewhere."""
    keep_view(view)
    st.session_state[_FLIGHT] = flights() + 1


def open_hits(is_open: bool = True) -> None:
    """Show what a search found, or let it go from over the map; a callback."""
    st.session_state[HITS] = is_open


def flights() -> int:
    """Return how often the map was sent somewhere: a new number is a new flight."""
    return int(st.session_state.get(_FLIGHT, 0))


def drawn_view(map_key: str, flight: str, make: Callable[[], object]) -> object:
    """Return the view a map was last sent to, made anew for a new flight or a map that is yet to speak."""
    name = f"{_DRAWN_VIEW}_{map_key}"
    kept = st.session_state.get(name)
    if kept is None or kept[0] != flight or st.session_state.get(map_key) is None:
        kept = st.session_state[name] = (flight, make())
    return kept[1]


def settle_map(branch_id: int) -> None:
    """Forget where the map looked and what was clicked when another branch is looked at."""
    before = st.session_state.get(_MAP_BRANCH)
    st.session_state[_MAP_BRANCH] = branch_id
    if before not in (None, branch_id):
        forget_view()
        select(None)
        end_by_hand()
        forget_done()
        keep(RADIUS, None)
        choose_plan(None)
        choose_cluster(None)
        leave_alliances()


def _told(map_key: str) -> Mapping[str, object]:
    """Return what a map last told: its centre, zoom and last click, in the base map's datum."""
    told: Mapping[str, object] = st.session_state.get(map_key) or {}
    return told


def hear(map_key: str, component_key: str, part: str | None = None) -> None:
    """
    Keep what a map's component told under the map's own key; a callback.

    A click or a drawing runs the part of the page named, a move of the map no more than the map.
    """
    st.session_state[map_key] = st.session_state.get(component_key, {})
    if part is not None and (new_click(map_key) is not None or new_drawing(map_key) is not None):
        st.rerun(part)


def new_view(map_key: str) -> View | None:
    """Return where a map has moved, in the base map's datum; None when it told that before."""
    centre, zoom = _told(map_key).get("center"), _told(map_key).get("zoom")
    if not isinstance(centre, Mapping) or not isinstance(zoom, int | float):
        return None
    heard = View(float(centre["lng"]), float(centre["lat"]), float(zoom))
    if st.session_state.get(f"{_HEARD}_{map_key}") == tuple(heard):
        return None
    st.session_state[f"{_HEARD}_{map_key}"] = tuple(heard)
    return heard


def told_zoom(map_key: str, default: float) -> float:
    """Return the zoom a map last told."""
    zoom = _told(map_key).get("zoom")
    return float(zoom) if isinstance(zoom, int | float) else default


def new_click(map_key: str) -> tuple[float, float] | None:
    """
    Return the click nobody answered yet, lon and lat in the base map's datum.

    It comes again until it is answered (see `answer_click`): the next thing the map tells may cut a run short
    at any access to the session, between a click's being heard and its being heeded.
    """
    clicked = _told(map_key).get("last_clicked")
    if not isinstance(clicked, Mapping) or clicked == st.session_state.get(f"{_CLICK}_{map_key}"):
        return None
    return float(clicked["lng"]), float(clicked["lat"])


def answer_click(map_key: str) -> None:
    """Take a map's last click for answered: what it means is kept."""
    clicked = _told(map_key).get("last_clicked")
    if isinstance(clicked, Mapping):
        st.session_state[f"{_CLICK}_{map_key}"] = dict(clicked)


def new_drawing(map_key: str) -> Mapping[str, object] | None:
    """
    Return what was drawn on a map and nobody answered yet; it comes again until it is answered.

    The map sends one drawing at a time, and the next when it has learnt that this one was answered.
    """
    drawn = _told(map_key).get("drawing")
    if not isinstance(drawn, Mapping) or drawn.get("number") == answered_drawing(map_key):
        return None
    return drawn


def answer_drawing(map_key: str) -> None:
    """Take a map's last drawing for answered: what it means is kept, or it was refused."""
    answering(map_key)()


def answering(map_key: str) -> Callable[[], None]:
    """
    Return what takes a map's last drawing for answered: to be called right after what it means was kept.

    It touches no session, so nothing the map tells can cut a run short between the one and the other.
    """
    drawn = _told(map_key).get("drawing")
    if not isinstance(drawn, Mapping):
        return lambda: None
    answered: dict[str, object] = st.session_state.setdefault(f"{_DRAWN}_{map_key}", {})
    return partial(answered.update, number=drawn.get("number"))


def answered_drawing(map_key: str) -> str | None:
    """Return the number of the drawing that was answered last."""
    number: str | None = st.session_state.get(f"{_DRAWN}_{map_key}", {}).get("number")
    return number


def select(selected: Selected | None) -> None:
    """Keep what was clicked or found."""
    st.session_state[_SELECTED] = None if selected is None else tuple(selected)


def selected() -> Selected | None:
    """Return what was clicked or found last."""
    kept = st.session_state.get(_SELECTED)
    return None if kept is None else Selected(*kept)


# Work by hand on the map ---------------------------------------------------------------------------------


class ByHand(NamedTuple):
    """What is being done by hand: `edit` or `move` a merchant, `add` one, or `place` an unplaced row."""

    kind: str
    row_id: int = 0


class Done(NamedTuple):
    """What was saved by hand last, and the batch that takes it back."""

    text: str
    batch_id: int | None
    told: bool = False


Spot = tuple[float, float]
Focus = tuple[Selected | None, ByHand | None, Spot | None]


def begin_by_hand(kind: str, row_id: int = 0, opened: Mapping[str, object] | None = None) -> None:
    """Begin work by hand on a row as it was when it was opened; a callback."""
    end_by_hand()
    forget_done()
    st.session_state[_OPENED] = dict(opened or {})
    st.session_state[_BY_HAND] = (kind, row_id)
    st.session_state[UNPLACED] = False  # its list lies over the map


def end_by_hand() -> None:
    """Leave the work by hand, done or not, and what was typed for it; a callback."""
    for name in (_BY_HAND, _SPOT, _OPENED, _WAITING, *hand_fields()):
        st.session_state.pop(name, None)


def by_hand() -> ByHand | None:
    """Return what is being done by hand."""
    kept = st.session_state.get(_BY_HAND)
    return None if kept is None else ByHand(*kept)


def opened() -> dict[str, object]:
    """Return the row worked on as it was when it was opened, or when a conflict about it was settled."""
    return dict(st.session_state.get(_OPENED, {}))


def keep_opened(row: Mapping[str, object]) -> None:
    """Keep the row worked on as it is now."""
    st.session_state[_OPENED] = dict(row)


def aim(lon: float, lat: float) -> None:
    """Keep where something is to be put, WGS 84."""
    work = by_hand()
    if work is not None and work.kind != "edit":
        st.session_state[_SPOT] = (lon, lat)


def spot() -> Spot | None:
    """Return where something is to be put."""
    kept: Spot | None = st.session_state.get(_SPOT)
    return kept


def focus() -> Focus:
    """Return what the page is about just now: what was chosen, what is done by hand, and where."""
    return selected(), by_hand(), spot()


def hand_field(name: str, value: object) -> str:
    """Return the key of a field of the form, which shows a value until the user types another."""
    key = f"{_HAND_FIELD}{name}"
    st.session_state.setdefault(key, value)
    return key


def type_in(name: str, value: object) -> None:
    """Let a field of the form show a value; a callback."""
    st.session_state[f"{_HAND_FIELD}{name}"] = value


def typed(name: str) -> object:
    """Return what a field of the form shows."""
    return st.session_state.get(f"{_HAND_FIELD}{name}")


def hand_fields() -> list[str]:
    """Return the keys of the form's fields."""
    return [str(key) for key in st.session_state if str(key).startswith(_HAND_FIELD)]


def wait(said: str | None) -> None:
    """Let a save wait for the user's word, for what was said about it; None: no longer."""
    st.session_state[_WAITING] = said


def waiting() -> str | None:
    """Return what was said about a save that waits for the user's word; None: none waits."""
    said: str | None = st.session_state.get(_WAITING)
    return said


def keep_done(text: str, batch_id: int | None) -> None:
    """Keep what was saved, and the batch that takes it back."""
    st.session_state[_DONE] = (text, batch_id, False)


def done() -> Done | None:
    """Return what was saved last."""
    kept = st.session_state.get(_DONE)
    return None if kept is None else Done(*kept)


def tell_done() -> None:
    """Take what was saved for told."""
    kept = done()
    if kept is not None:
        st.session_state[_DONE] = (kept.text, kept.batch_id, True)


def forget_done() -> None:
    """Leave what was saved as it is; a callback."""
    st.session_state.pop(_DONE, None)


# Tables --------------------------------------------------------------------------------------------------


def new_cell(table: str, cell: tuple[int, str] | None) -> tuple[int, str] | None:
    """Return a table's chosen cell when it was chosen just now; the table tells it in later runs too."""
    key = f"{_CELL}_{table}"
    is_new = cell is not None and cell != st.session_state.get(key)
    st.session_state[key] = cell
    return cell if is_new else None


# Long work -----------------------------------------------------------------------------------------------


def ask_for(work: str) -> None:
    """Ask for long work, which is begun anew if a rerun cuts it short; a callback."""
    st.session_state[_WORK] = work


def asked_for() -> str | None:
    """Return the long work asked for that is neither done nor stopped."""
    work: str | None = st.session_state.get(_WORK)
    return work


def forget_work() -> None:
    """Stop the long work, or be done with it; a callback."""
    st.session_state.pop(_WORK, None)


def stop_work(note: str | None) -> None:
    """Stop the long work, and keep a word about it for the next run of the page; a callback."""
    forget_work()
    if note is not None:
        leave_note(note)


# Files being brought in ----------------------------------------------------------------------------------


def upload_key() -> str:
    """Return the uploader's key: a new one is an empty uploader."""
    return f"{_UPLOADS}_{st.session_state.get(_UPLOADS, 0)}"


def forget_uploads() -> None:
    """Empty the uploader and what was found out and chosen about its files; a callback."""
    st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1
    for name in (LOOK, PLAN, REPORT, _WORDS, _DECISIONS, _READY, _STOPPED):
        st.session_state.pop(name, None)


def of_file(name: str, file_id: str) -> str:
    """Return the key of a choice about one file."""
    return f"{name}_{file_id}"


def once(name: str, key: object, make: Callable[[], T]) -> T:
    """Return what was found out under a key, found out now if it is new; the oldest are forgotten."""
    kept: T | None = known(name, key)
    if kept is not None:
        return kept
    value = make()
    st.session_state[name] = [*st.session_state.get(name, []), (key, value)][-KEPT_AT_ONCE:]
    return value


def known(name: str, key: object) -> Any:
    """Return what was found out under a key; None where nothing was."""
    return next((value for each, value in st.session_state.get(name, []) if each == key), None)


def keep_report(file_id: str, report: object) -> None:
    """Keep what became of a file."""
    st.session_state[REPORT] = st.session_state.get(REPORT, {}) | {file_id: report}


def report_of(file_id: str) -> object | None:
    """Return what became of a file; None before it was brought in."""
    report: object | None = st.session_state.get(REPORT, {}).get(file_id)
    return report


def forget_report(file_id: str) -> None:
    """Look at a file anew: what was brought in of it was taken back."""
    st.session_state[REPORT] = {
        known: report for known, report in st.session_state.get(REPORT, {}).items() if known != file_id
    }


def start_at(key: str, value: object) -> str:
    """Return the key of a widget that shows a value until the user chooses another."""
    st.session_state.setdefault(key, value)
    return key


def chosen(key: str, default: T) -> T:
    """Return what a widget further down the page stands at; the default before it was drawn."""
    value: T = st.session_state.get(key, default)
    return value


def take_alone(keys: Sequence[str], at: int, nothing: object) -> None:
    """Let one of several widgets have its value for itself: another that has the same lets go; a callback."""
    value = st.session_state[keys[at]]
    for number, key in enumerate(keys):
        if number != at and value != nothing and st.session_state.get(key) == value:
            st.session_state[key] = nothing


def forget_choices(keys: Sequence[str]) -> None:
    """Let widgets show what is proposed again; a callback."""
    for key in keys:
        st.session_state.pop(key, None)


def copy(key: str, other: str) -> None:
    """Keep what a widget stands at beyond the widget's life; a callback."""
    st.session_state[other] = st.session_state[key]


def leave_note(text: str) -> None:
    """Keep a word about what was done for the next run of the page."""
    st.session_state[_NOTE] = text


def take_note() -> str | None:
    """Return the word that was left, once."""
    text: str | None = st.session_state.pop(_NOTE, None)
    return text


def put(key: str, value: object) -> None:
    """Set what a widget shows; a callback, or before it is drawn."""
    st.session_state[key] = value


def words_of(file_id: str) -> dict[str, str]:
    """Return what the user said a file's category words mean."""
    words: dict[str, str] = st.session_state.get(_WORDS, {}).get(file_id, {})
    return words


def keep_words(file_id: str, words: Mapping[str, str]) -> None:
    """Keep what a file's category words mean."""
    kept = st.session_state.get(_WORDS, {})
    st.session_state[_WORDS] = kept | {file_id: words_of(file_id) | dict(words)}


def decisions_of(file_id: str) -> dict[int, str]:
    """Return what the user decided about a file's rows that may be doubles."""
    decisions: dict[int, str] = st.session_state.get(_DECISIONS, {}).get(file_id, {})
    return decisions


def decide(file_id: str, rows: Sequence[int], decision: str | None, keys: Sequence[str] = ()) -> None:
    """Decide about rows, or take it back; their widgets show it; a callback."""
    kept = {row: said for row, said in decisions_of(file_id).items() if row not in rows}
    if decision is not None:
        kept |= dict.fromkeys(rows, decision)
    st.session_state[_DECISIONS] = st.session_state.get(_DECISIONS, {}) | {file_id: kept}
    for key in keys:
        st.session_state[key] = decision


def may_begin(file_id: str, choices: object) -> bool:
    """Whether a file too large to be read through at every change may be read with these choices."""
    return bool(st.session_state.get(_READY, {}).get(file_id) == choices)


def begin(file_id: str, choices: object) -> None:
    """Let a large or stopped file be read through with these choices; a callback."""
    st.session_state[_READY] = st.session_state.get(_READY, {}) | {file_id: choices}
    st.session_state[_STOPPED] = st.session_state.get(_STOPPED, {}) | {file_id: None}


def stop_reading(file_id: str, choices: object) -> None:
    """Stop reading a file through with these choices; a callback."""
    st.session_state[_STOPPED] = st.session_state.get(_STOPPED, {}) | {file_id: choices}
    st.session_state[_READY] = st.session_state.get(_READY, {}) | {file_id: None}


def stopped(file_id: str) -> object | None:
    """Return the choices with which a file's reading was stopped; None where it was not."""
    choices: object | None = st.session_state.get(_STOPPED, {}).get(file_id)
    return choices


# A branch being added -----------------------------------------------------------------------------------


def is_adding() -> bool:
    """Whether anything was entered for a new branch."""
    return any(st.session_state.get(key) for key in (NEW_NAME, NEW_CODE, NEW_POSITION))


def leave_pin(lon: float, lat: float) -> None:
    """Keep a pin set on the map, WGS 84, until the fields are drawn again."""
    st.session_state[_PIN] = (lon, lat)


def take_pin() -> None:
    """Write the pin into the fields; to be called before they are drawn."""
    if _PIN in st.session_state:
        lon, lat = st.session_state.pop(_PIN)
        st.session_state[NEW_POSITION] = f"{lon:.6f}, {lat:.6f}"
        st.session_state[NEW_DATUM] = "wgs84"


def forget_new_branch() -> None:
    """Empty the fields: the branch was added."""
    for key in (NEW_NAME, NEW_CODE, NEW_POSITION, NEW_DATUM):
        st.session_state.pop(key, None)


# A plan of zones ------------------------------------------------------------------------------------------


def plan_id() -> int | None:
    """Return the plan looked at; None before one was chosen, whatever stands in the URL."""
    text = _kept(ZONE_PLAN) or ""
    return int(text) if text.isdecimal() else None


def choose_plan(plan_id: int | None) -> None:
    """Look at a plan; its zones are others, so none is chosen; a callback too."""
    if plan_id is None:
        _forget(ZONE_PLAN)
    else:
        _keep(ZONE_PLAN, str(plan_id))
    leave_plan()


def leave_plan() -> None:
    """Forget what was chosen in the plan looked at before; a callback."""
    choose_zone(None)
    forget_pending()
    forget_zone_notes()


def zone_id() -> int | None:
    """Return the zone chosen."""
    text = _kept(ZONE) or ""
    return int(text) if text.isdecimal() else None


def choose_zone(zone_id: int | None) -> None:
    """Choose a zone, or none; a callback too."""
    keep(ZONE, None if zone_id is None else str(zone_id))
    st.session_state.pop(_ZONE_PARTNER, None)


class Listing(NamedTuple):
    """A list of zones: its widget's key, and what it begins with."""

    key: str
    begins_with: dict[str, Any] | None


def listing(ids: Sequence[int], table: str) -> Listing:
    """
    Return how a list of zones shows the zone chosen, also where that was chosen on the map.

    A table cannot be told what is selected in it: one that shows another zone is drawn anew with that.
    """
    chosen, kept = zone_id(), st.session_state.get(f"{_ZONE_LISTED}_{table}", (0, None, None))
    number, shown, first = kept
    if chosen != shown:
        number, shown, first = number + 1, chosen, chosen
        st.session_state[f"{_ZONE_LISTED}_{table}"] = (number, shown, first)
    rows = [ids.index(first)] if first in ids else []
    return Listing(f"{table}_{number}", {"selection": {"rows": rows}} if rows else None)


def choose_row(ids: Sequence[int], table: str, key: str) -> None:
    """Choose the zone whose row was clicked in a list; none when the click let go of it; a callback."""
    rows = st.session_state[key]["selection"]["rows"]
    chosen = ids[rows[0]] if rows and rows[0] < len(ids) else None
    number, _shown, first = st.session_state[f"{_ZONE_LISTED}_{table}"]
    st.session_state[f"{_ZONE_LISTED}_{table}"] = (number, chosen, first)
    choose_zone(chosen)


def seen_revision(plan_id: int) -> int | None:
    """Return the revision of a plan that the user has before their eyes; None before it was shown."""
    seen = st.session_state.get(_ZONE_SEEN)
    return seen[1] if seen is not None and seen[0] == plan_id else None


def see_revision(plan_id: int, revision: int | None) -> None:
    """Keep which revision of a plan is shown: what is done next is done to that one; a callback too."""
    st.session_state[_ZONE_SEEN] = (plan_id, revision)


def keep_pending(pending: object) -> None:
    """Keep a change that waits for the user's word: nothing that was drawn or typed is lost."""
    st.session_state[_ZONE_PENDING] = pending


def pending() -> Any:
    """Return the change that waits for the user's word; None: none does."""
    return st.session_state.get(_ZONE_PENDING)


def forget_pending() -> None:
    """Let the change that waits go; a callback."""
    st.session_state.pop(_ZONE_PENDING, None)


def keep_zone_notes(notes: Sequence[str]) -> None:
    """Keep what is to be said of the last change."""
    st.session_state[_ZONE_NOTES] = tuple(notes)


def zone_notes() -> tuple[str, ...]:
    """Return what is to be said of the last change, until the next one or until it is closed."""
    notes: tuple[str, ...] = st.session_state.get(_ZONE_NOTES, ())
    return notes


def forget_zone_notes() -> None:
    """Have read what was said of the last change; a callback."""
    st.session_state.pop(_ZONE_NOTES, None)


def tool() -> str | None:
    """Return the kind of the tool in hand; None before one was."""
    kind: str | None = st.session_state.get(ZONE_TOOL)
    return kind


def take_tool(kind: str) -> None:
    """Take a tool in hand, for what it is for; a callback."""
    end_barrier()
    st.session_state[ZONE_TOOL] = kind


def merge_from(zone_id: int | None) -> None:
    """Let the next click on a zone name the one to merge this one with; None: no longer; a callback."""
    st.session_state[_ZONE_PARTNER] = zone_id


def merging() -> int | None:
    """Return the zone that waits for another to be merged with."""
    zone_id: int | None = st.session_state.get(_ZONE_PARTNER)
    return zone_id


def begin_barrier() -> None:
    """Let the next line that is drawn be a barrier; a callback."""
    take_tool("split")
    st.session_state[_ZONE_BARRIER] = True


def is_barrier() -> bool:
    """Whether the next line that is drawn is a barrier: until the tool that draws it is put down."""
    if st.session_state.get(ZONE_TOOL) != "split":
        end_barrier()
    return bool(st.session_state.get(_ZONE_BARRIER))


def end_barrier() -> None:
    """Let a line split zones again; a callback."""
    st.session_state.pop(_ZONE_BARRIER, None)


def begin_with(way: str) -> None:
    """Keep what a plan is to begin with: `design`, `draw` or `read`; a callback too."""
    st.session_state[_ZONE_WAY] = way


def take_beginning() -> str | None:
    """Return what the plan is to begin with, once."""
    way: str | None = st.session_state.pop(_ZONE_WAY, None)
    return way


def keep_job(token: str | None) -> None:
    """Keep the name of the work that goes on beside the page; None: it is done."""
    st.session_state[_ZONE_JOB] = token


def job() -> str | None:
    """Return the name of the work that goes on beside the page."""
    token: str | None = st.session_state.get(_ZONE_JOB)
    return token


def aim_brush(selected: int | None, choices: Sequence[int]) -> None:
    """Let the brush paint for the zone that is chosen, till the user names another; before its widget."""
    known = st.session_state.get(ZONE_PAINTED) in choices
    if selected in choices and (selected != st.session_state.get(_ZONE_AIMED) or not known):
        st.session_state[ZONE_PAINTED] = selected
    elif not known:
        st.session_state[ZONE_PAINTED] = choices[0]
    st.session_state[_ZONE_AIMED] = selected


def choice_of(name: str, default: bool) -> bool:
    """Return a choice that outlives the widget it is made with."""
    return bool(st.session_state.get(name, default))


def keep_choice(name: str, value: bool) -> None:
    """Keep a choice that outlives the widget it is made with."""
    st.session_state[name] = value


# Teams -----------------------------------------------------------------------------------------------------


def go_on_with(plan_id: int) -> None:
    """Let the next run of the page show a plan in place of the one chosen."""
    st.session_state[_TEAM_PLAN_NEXT] = plan_id


def settle_team_plan() -> None:
    """Choose the plan to go on with, before the widget that shows it is drawn."""
    if _TEAM_PLAN_NEXT in st.session_state:
        st.session_state[TEAM_PLAN] = st.session_state.pop(_TEAM_PLAN_NEXT)


def open_playbook(opened: Mapping[str, object] | None) -> None:
    """Keep the playbook being changed as it was when it was opened; None: none is; a callback."""
    st.session_state[PLAYBOOK] = opened


def opened_playbook() -> Mapping[str, Any] | None:
    """Return the playbook being changed as it was when it was opened."""
    kept: Mapping[str, Any] | None = st.session_state.get(PLAYBOOK)
    return kept


# Partners and alliances ------------------------------------------------------------------------------------


def leave_alliances() -> None:
    """Forget what was chosen among another branch's partners and alliances."""
    choose_pair(None)
    choose_alliance(None)
    choose_proposal(None)
    keep(PARTNER_MERCHANT, None)


def pair() -> tuple[int, int] | None:
    """Return the two merchants chosen, the smaller number first; a URL may say anything."""
    first, _dash, second = (_kept(PARTNER_PAIR) or "").partition("-")
    if not (first.isdecimal() and second.isdecimal()) or int(first) >= int(second):
        return None
    return int(first), int(second)


def choose_pair(pair: tuple[int, int] | None) -> None:
    """Choose two merchants, or none; a callback too."""
    keep(PARTNER_PAIR, None if pair is None else f"{min(pair)}-{max(pair)}")
    open_change(None)


def number_in(name: str) -> int | None:
    """Return a whole number kept in the URL; None where there is none."""
    text = _kept(name) or ""
    return int(text) if text.isdecimal() and len(text) < 16 else None


def choose_alliance(alliance_id: int | None) -> None:
    """Choose an alliance there is, or none; a callback too."""
    keep(ALLIANCE, None if alliance_id is None else str(alliance_id))
    open_change(None)


def choose_proposal(number: int | None) -> None:
    """Choose one of the alliances that are proposed, or none; a callback too."""
    keep(PROPOSAL, None if number is None else str(number))


def turn_to(name: str, text: str) -> None:
    """Let a widget that stands in the URL show something else in the next run of the page."""
    keep(name, text)
    st.session_state.pop(f"seen_{name}", None)


def choose_listed(table: str, choices: Sequence[T], choose: Callable[[T | None], None]) -> None:
    """Choose what stands in the row that was clicked in a list, or nothing; a callback."""
    rows = st.session_state[table]["selection"]["rows"]
    choose(choices[rows[0]] if rows and rows[0] < len(choices) else None)


def look_for_partners_of(merchant_id: int | None) -> None:
    """Look for the partners of one merchant; None: of no one in particular; a callback too."""
    keep(PARTNER_MERCHANT, None if merchant_id is None else str(merchant_id))
    choose_pair(None)


def seen_alliance(alliance_id: int) -> int | None:
    """Return the revision of an alliance that the user has before their eyes; None before it was shown."""
    seen = st.session_state.get(_ALLIANCE_SEEN)
    return seen[1] if seen is not None and seen[0] == alliance_id else None


def see_alliance(alliance_id: int, revision: int) -> None:
    """Keep which revision of an alliance is shown."""
    st.session_state[_ALLIANCE_SEEN] = (alliance_id, revision)


def open_change(opened: Mapping[str, object] | None) -> None:
    """Keep what is being changed as it was when it was opened; None: nothing is; a callback."""
    if opened is None:
        st.session_state.pop(_BEING_CHANGED, None)
    else:
        st.session_state[_BEING_CHANGED] = dict(opened)


def being_changed(kind: str, row_id: int) -> Mapping[str, Any] | None:
    """Return a row as it was when its change was begun; None where it is not being changed."""
    kept: Mapping[str, Any] | None = st.session_state.get(_BEING_CHANGED)
    return kept if kept is not None and (kept.get("kind"), kept.get("id")) == (kind, row_id) else None


# Clusters ---------------------------------------------------------------------------------------------------


def choose_cluster(number: int | None) -> None:
    """Choose a cluster by its lasting number, or none; a callback too."""
    keep(CLUSTER, None if number is None else str(number))
    ask_whose_ground(None)


def cluster_chosen() -> int | None:
    """Return the cluster chosen."""
    return number_in(CLUSTER)


def choose_cluster_row(ids: Sequence[int], key: str) -> None:
    """Choose the cluster whose row was clicked in the table; none when the click let go of it; a callback."""
    rows = st.session_state[key]["selection"]["rows"]
    choose_cluster(ids[rows[0]] if rows and rows[0] < len(ids) else None)


def ask_whose_ground(asked: tuple[int, int, tuple[int, ...]] | None) -> None:
    """Keep that a cluster made a zone covers others' ground: the cluster, the plan, its zones; a callback."""
    st.session_state[_CLUSTER_ASKED] = asked


def whose_ground(number: int) -> tuple[int, tuple[int, ...]] | None:
    """Return the plan and the zones whose ground a cluster that is to be a zone covers, until it is said."""
    asked: tuple[int, int, tuple[int, ...]] | None = st.session_state.get(_CLUSTER_ASKED)
    return asked[1:] if asked is not None and asked[0] == number else None

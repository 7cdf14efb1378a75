"""
What the user did and we cannot recompute: every key of the session and every parameter of the URL.

Nothing outside this module spells a key. The URL keeps the view (a refresh or a shared link shows the
same ground) and grants nothing: who asks is never in it.
"""

from __future__ import annotations

import streamlit as st

from data.rights import Role

# In the URL; also in the session, since a change of page empties the URL.
LANGUAGE = "lang"
BRANCH = "branch"
# In the session only.
ROLE = "role"
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


def _keep(name: str, value: str) -> None:
    st.query_params[name] = st.session_state[f"kept_{name}"] = value


def language() -> str | None:
    """Return the language the user chose; None for the browser's."""
    return _kept(LANGUAGE)


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
    st.session_state.pop(f"kept_{BRANCH}", None)
    st.query_params.pop(BRANCH, None)


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

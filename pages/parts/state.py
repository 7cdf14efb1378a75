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

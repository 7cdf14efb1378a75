"""
Who asks. One function says it; a later way to sign in replaces that function and nothing else.

Today there is one identity, the demo's, and it answers on loopback only: the server must listen on a
loopback address, and the request must be addressed to one and must not have come through a proxy.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

import streamlit as st
from pandas import DataFrame
from sqlalchemy.orm import Session

from data import store
from data.config import Settings
from data.rights import Asker, Role
from geo.errors import N_, IdentityError
from pages.parts import state

_ANYBODY = Asker(name="demo", role=None)  # looks up who there is to be; never handed on


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine's own; an unset one is not."""
    name = (host or "").strip().lower()
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """Return a Host header without its port: `[::1]:8501` is `::1`."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


def loopback_only(headers: Iterable[tuple[str, str]], address: str | None) -> bool:
    """
    Whether a request may be answered without sign-in.

    Parameters
    ----------
    headers
        Of the request; a header that comes twice stands twice.
    address
        Which the server listens on, `server.address`; when unset Streamlit listens everywhere.

    Returns
    -------
    loopback_only
        True only if the server listens on loopback, the request names such a host, and no proxy forwarded it.
    """
    pairs = [(name.lower(), value) for name, value in headers]
    hosts = [value for name, value in pairs if name == "host"]
    forwarded = any(name == "forwarded" or name.startswith("x-forwarded-") for name, _ in pairs)
    return is_loopback(address) and len(hosts) == 1 and is_loopback(host_of(hosts[0])) and not forwarded


def request_headers() -> list[tuple[str, str]]:
    """Return the headers of the request that opened this session."""
    headers = st.context.headers
    return [(name, value) for name in headers for value in headers.get_all(name)]


def server_address() -> str | None:
    """Return the address the server was told to listen on."""
    address: str | None = st.get_option("server.address")
    return address


def check_caller() -> None:
    """
    Let a request from this machine pass.

    Raises
    ------
    IdentityError
        When it came from elsewhere, through a proxy, or the server listens to others.
    """
    if not loopback_only(request_headers(), server_address()):
        raise IdentityError(N_("Zhendi has no sign-in yet, so it answers only on the machine it runs on."))


def who_asks(code: str | None = None) -> Asker:
    """Return who asks: the demo identity, as chosen in the sidebar or at a branch named; refuse others."""
    check_caller()
    return demo_identity(state.role(), code or state.branch_code())


def demo_branches() -> DataFrame:
    """Return the branches the demo identity may choose from: all."""
    check_caller()
    with store.reading(store.engine(Settings.from_env())) as session:
        return store.branches(session, _ANYBODY)


def demo_identity(role: Role, code: str | None) -> Asker:
    """Return the demo's person of a role at a branch: a member is one who manages customers there."""
    with store.reading(store.engine(Settings.from_env())) as session:
        branches = store.branches(session, _ANYBODY)
        at = branches[branches["code"] == code]
        if at.empty:
            return Asker(name=f"demo:{role.value}", role=role)
        branch_id = int(at["id"].iloc[0])
        return Asker(
            name=f"demo:{role.value}",
            role=role,
            branch_ids=frozenset({branch_id}),
            person_id=_person(session, role, branch_id),
        )


def _person(session: Session, role: Role, branch_id: int) -> int | None:
    """Return a person of the role at the branch; for a member, else one whom a list names as a manager."""
    people = store.people(session, _ANYBODY, branch_id)
    fitting = people[people["role"] == role.value]
    if fitting.empty and role is Role.MEMBER:
        fitting = people[people["role"].isna()]
    return None if fitting.empty else int(fitting["id"].iloc[0])

"""The frame round a page or a fragment: what goes wrong is said in the user's language; the app goes on."""

from __future__ import annotations

import logging
import secrets
import traceback
from contextlib import AbstractContextManager, ContextDecorator
from types import TracebackType
from typing import Literal

import streamlit as st
from sqlalchemy.orm import Session

from data import database, outages
from data.config import Settings
from geo.errors import StoreError, ZhendiError
from pages.parts import state
from pages.parts.words import _, complaint

LOG = logging.getLogger("zhendi.pages")


class calm(ContextDecorator):  # noqa: N801 - reads as a word where it is used: `with calm():`
    """
    Show what goes wrong inside as a calm message; used on every page and, as they rerun alone, fragments.

    An error of ours is shown as it is worded. Any other is logged as its kind and the lines of code it went
    through, never with its values, which may be a customer's, and shown as a reference to that entry.
    """

    def __enter__(self) -> calm:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False] | bool:
        """Show an error and swallow it; let Streamlit's own signals (stop, rerun), which are none, pass."""
        error = (outages.told(error) if isinstance(error, Exception) else None) or error
        if isinstance(error, StoreError):
            LOG.error("the store: %s", error)
        if isinstance(error, ZhendiError):
            st.error(complaint(error), icon=":material/error:")
            return True
        if not isinstance(error, Exception):
            return False
        reference = secrets.token_hex(3)
        LOG.error("%s: %s\n%s", reference, type(error).__name__, "".join(traceback.format_tb(trace)).rstrip())
        st.error(
            _(
                "Something went wrong on our side; nothing was changed. Reload the page, and if it happens "
                "again, give your administrator this reference: {reference}",
                reference=reference,
            ),
            icon=":material/error:",
        )
        return True


class long_work:  # noqa: N801 - reads as a word where it is used: `with long_work():`
    """
    Do what was asked for (see `state.ask_for`) to its end, good or bad, or till the user stops it.

    A map on the page may ask for a rerun at any time, which cuts the work short; then nothing of it was
    kept, and it stays asked for.

    Parameters
    ----------
    stopped
        What the page says once the user has stopped it (see `state.take_note`).
    """

    def __init__(self, stopped: str | None = None) -> None:
        self.stopped = stopped

    def __enter__(self) -> None:
        """Offer to stop."""
        st.button(
            _("Stop, and keep nothing"),
            icon=":material/cancel:",
            key=state.STOP,
            on_click=state.stop_work,
            args=(self.stopped,),
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Be done with it, unless one of Streamlit's own signals cut it short."""
        if error is None or isinstance(error, Exception):
            state.forget_work()


def reading() -> AbstractContextManager[Session]:
    """Open a session of the store that only reads."""
    return database.reading(database.engine(Settings.from_env()))


def writing() -> AbstractContextManager[Session]:
    """Open a session whose changes are kept if the block ends well; looks that are audited need it too."""
    return database.transaction(database.engine(Settings.from_env()))

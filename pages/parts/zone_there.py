"""Who and what is in a zone: the merchants by category, the places, and the visits that are due."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from data import catalogue, store
from data.catalogue import STATUSES, top_of
from data.rights import Asker
from data.snapshots import Snapshot
from data.zones.held import Held
from data.zones.intervals import merchant_states, today
from data.zones.placed import placed
from geo.visits import STATES, day_number
from pages.parts import zone_reads
from pages.parts.frame import reading
from pages.parts.words import N_, _, language, ngettext, number, plain, shorten

CATEGORIES_SHOWN = 6
PLACES_SHOWN = 6
MERCHANTS_SHOWN = 8
STATE_NAMES = {
    "never": N_("never visited"),
    "on_track": N_("on track"),
    "due": N_("due"),
    "overdue": N_("overdue"),
}
FIRST = ("overdue", "due", "never")  # whom to visit first


def there(asker: Asker, snapshot: Snapshot, held: Held, zone_id: int) -> None:
    """Show who and what is in a zone."""
    found = placed(snapshot, held.plan, held.id, today=day_number(today()))
    shops = found.rows_in("merchants", zone_id)
    shops = shops[snapshot.merchants.status[shops] != STATUSES.index("closed")]
    places = found.rows_in("places", zone_id)
    if not len(shops) and not len(places):
        st.caption(_("No merchant and no place is known here."))
        return
    categories(snapshot, shops)
    places_line(asker, snapshot, places)
    due(asker, snapshot, shops)


def categories(snapshot: Snapshot, shops: NDArray[np.intp]) -> None:
    """Show the commonest kinds of merchants, with how many are signed."""
    if not len(shops):
        return
    signed = snapshot.merchants.status[shops] == STATUSES.index("signed")
    st.markdown(
        ngettext(
            "**One merchant**, {signed} signed",
            "**{n} merchants**, {signed} signed",
            len(shops),
            signed=number(int(signed.sum())),
        )
    )
    upper = top_of()[snapshot.merchants.category[shops]]
    ids, counts = np.unique(upper, return_counts=True)
    names = dict(zip(catalogue.CATEGORIES["id"], catalogue.CATEGORIES[language()], strict=True))
    first = np.argsort(-counts, kind="stable")[:CATEGORIES_SHOWN]
    parts = [f"{plain(str(names[ids[at]]))} {number(int(counts[at]))}" for at in first]
    st.markdown(" · ".join(parts) + (" …" if len(ids) > CATEGORIES_SHOWN else ""))


def places_line(asker: Asker, snapshot: Snapshot, rows: NDArray[np.intp]) -> None:
    """Name the largest places."""
    if not len(rows):
        return
    households = np.nan_to_num(snapshot.places.households[rows])
    first = rows[np.argsort(-households, kind="stable")[:PLACES_SHOWN]]
    names = zone_reads.place_names(asker, snapshot.branch_id, snapshot.places.id[first].tolist())
    parts = [shorten(name) for name in names.values()]
    title = _("Places")
    listed, more = _(", ").join(parts), " …" if len(rows) > PLACES_SHOWN else ""
    st.markdown(f"**{title}**  \n{plain(listed)}{more}")


def due(asker: Asker, snapshot: Snapshot, shops: NDArray[np.intp]) -> None:
    """Say how the visits stand, and name the merchants to go to first."""
    if not len(shops):
        return
    merchants = snapshot.merchants
    state = merchant_states(merchants)[shops]
    counts = [(name, int((state == STATES.index(name)).sum())) for name in STATES]
    title = _("Visits")
    said = " · ".join(f"{_(STATE_NAMES[name])} {number(count)}" for name, count in counts if count)
    st.markdown(f"**{title}**  \n{said}")
    rank = np.array([FIRST.index(name) if name in FIRST else len(FIRST) for name in STATES])[state]
    order = np.lexsort((merchants.visited[shops], rank))
    first = shops[order[:MERCHANTS_SHOWN]][rank[order[:MERCHANTS_SHOWN]] < len(FIRST)]
    if not len(first):
        return
    with reading() as session:
        found = store.merchant_rows(session, asker, snapshot.branch_id, merchants.id[first].tolist())
    names = dict(zip(found["id"], found["name"], strict=True))
    parts = [shorten(str(names[each])) for each in merchants.id[first] if each in names]
    st.caption(_("To visit first: {names}", names=plain(_(", ").join(parts))))

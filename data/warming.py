"""Working sets read before anybody asks: a first visit after a start need not wait for a million rows."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from data import figures, snapshots, tiles
from data.database import reading
from data.figures import Filters, Reach
from data.tables import branches
from geo.errors import ZhendiError

LOG = logging.getLogger("zhendi.data")


def warm(engine: Engine, is_over: Callable[[], bool] = lambda: False) -> int:
    """
    Read the branches' working sets, and work out what their map shows first.

    Parameters
    ----------
    engine
        Of the store.
    is_over
        Asked before each branch: whether to stop, as the server does.

    Returns
    -------
    warmed
        How many branches; as many as memory holds, one's own before the demo. A branch that cannot be read,
        or a store, is left to the visit that asks for it and can be told.
    """
    warmed = 0
    try:
        with reading(engine) as session:
            ids = session.scalars(select(branches.c.id).order_by(branches.c.is_demo, branches.c.id)).all()
        for branch_id in ids:
            if is_over() or snapshots.is_full():
                break
            _warm_branch(engine, branch_id)
            warmed += 1
    except (SQLAlchemyError, ZhendiError) as error:
        LOG.warning("Nothing more is read ahead: %s", type(error).__name__)
    return warmed


def _warm_branch(engine: Engine, branch_id: int) -> None:
    held = snapshots.snapshot(engine, branch_id)
    for layer in tiles.LAYERS:
        tiles.drawn(held, layer, Filters())
    reach = Reach(figures.catchment(held).radius_m)
    figures.cards(held, Filters(), reach, mask=False)
    figures.group_table(held, Filters(), reach, mask=False)

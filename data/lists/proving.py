"""Which datum a list is in: what was stated, what the file proves, or what the branch's rows prove."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from data.files.readers import Table
from data.lists import proof
from data.lists.known import EMPTY_NAME, names_once
from data.lists.proof import Proof
from data.lists.reasons import OK
from data.lists.survey import Survey
from geo.datum import DATUMS
from geo.errors import N_, DatumUnknown, FileError


def proven(session: Session, branch_id: int, table: Table, survey: Survey, datum: str) -> Proof:
    """
    Return a list's datum and what proves it, or an empty proof.

    Parameters
    ----------
    session, branch_id
        The branch whose rows may prove it.
    table, survey
        The list.
    datum
        As the user states it, or "auto".
    """
    # A projection became WGS 84 on the way in; what anybody says was about something else.
    found = _by_crs(table, survey)
    if found.datum and survey.transform is not None:
        return found
    if datum != "auto":
        if datum not in DATUMS:
            raise FileError(
                N_("There is no datum {datum}; there are {datums}."), datum=datum, datums=", ".join(DATUMS)
            )
        return Proof(datum, "stated")
    if found.datum:
        return found
    names = (table.name, table.sheet, table.shape_header)
    found = proof.by_words(survey.columns.pair, table.headers, *names, *survey.said)
    paired = _paired(survey)
    if found.datum and paired is not None and paired.datum not in (None, found.datum):
        return Proof()
    if found.datum:
        return found
    if paired is not None and paired.datum:
        return paired
    return _matched(session, branch_id, survey)


def _by_crs(table: Table, survey: Survey) -> Proof:
    """Return what the declared system proves, or the one that the metres themselves show."""
    found = survey.transform
    if found is not None and found.found:
        return Proof("wgs84", "metres") if proof.by_crs(found.epsg).datum else Proof()
    return proof.by_crs(table.epsg if table.has_shapes else None)


def _paired(survey: Survey) -> Proof | None:
    """Return what the other coordinates of the same rows prove; None where there are none."""
    proofs = []
    for pair, other in zip(survey.columns.others, survey.others, strict=True):
        count = len(other[0])
        own = survey.lon[:count], survey.lat[:count]
        proofs.append(proof.by_pair(own, other, pair.datum))
    found = {each.datum for each in proofs if each.datum}
    if len(found) == 1:
        return Proof(found.pop(), "pair")
    return Proof() if proofs else None


def _matched(session: Session, branch_id: int, survey: Survey) -> Proof:
    known = names_once(session, branch_id)
    if len(known) < proof.MATCHES_NEEDED:
        return Proof()
    at = (survey.reason == OK).nonzero()[0]
    own = pd.DataFrame({"key": survey.name_hash[at], "lon": survey.lon[at], "lat": survey.lat[at]})
    own = own[own["key"] != EMPTY_NAME].drop_duplicates("key", keep=False)
    both = own.merge(known, on="key", suffixes=("", "_known"))
    return proof.by_matches(*(both[name].to_numpy() for name in ("lon", "lat", "lon_known", "lat_known")))


def settled(found: Proof, survey: Survey) -> Proof:
    """
    Return the proof, or ask.

    Raises
    ------
    DatumUnknown, FileError
        With the candidates; or that there is nothing to prove, since no row can be placed.
    """
    if found.datum is not None:
        return found
    good = survey.reason == OK
    if not good.any():
        refuse_all(survey)
    first = int(np.argmax(good))
    raise DatumUnknown(
        N_(
            "Nothing proves which datum the coordinates of row {row} and the others are in. Name it: GPS and "
            "OpenStreetMap give wgs84, Gaode and Tencent gcj02, Baidu bd09."
        ),
        proof.candidates(survey.lon[first], survey.lat[first]),
        row=int(survey.row[first]),
    )


def refuse_all(survey: Survey) -> None:
    """Refuse a list of which no row can be placed."""
    raise FileError(
        N_("None of the {rows} rows can be placed on the map. In row {row} the coordinates are “{value}”."),
        rows=len(survey.row),
        row=int(survey.row[0]),
        value=survey.where.get(0, ("", ""))[1],
    )

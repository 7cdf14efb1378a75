"""
Which trades help each other and which compete, whom a trade serves and how far: the matrix of categories.

Two files are shipped: `complements.csv` (pairs, with why) and the columns `reach_m` and `serves` of
`categories.csv`. A bank's own rows (`data.alliances.matrix_rows`) lie over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data import tables
from data.catalogue import CATEGORIES, GROUPS, OTHER_CATEGORY, OTHER_GROUP
from data.kept import Kept
from data.words import Language

FILE = Path(__file__).parents[1] / "complements.csv"
RELATIONS = ("complement", "compete")
DEFAULT_REACH_M = 500.0
CODES: tuple[str, ...] = tuple(CATEGORIES["code"])
RANK = {code: rank for rank, code in enumerate(CODES)}
GROUP_CODES: tuple[str, ...] = tuple(GROUPS["code"])
_CODE_OF: dict[int, str] = dict(zip(CATEGORIES["id"].tolist(), CODES, strict=True))
PARENT: dict[str, str] = {
    code: _CODE_OF[int(parent)]
    for code, parent in zip(CODES, CATEGORIES["parent_id"], strict=True)
    if parent is not pd.NA
}
Pair = tuple[str, str]


class Row(NamedTuple):
    """What is said of two categories: `a` stands before `b` in the catalogue."""

    a: str
    b: str
    relation: str
    strength: float
    zh: str
    en: str


class Terms(NamedTuple):
    """How far a category reaches and whom it serves; None takes the parent's, no group serves nobody."""

    reach_m: float | None
    serves: tuple[str, ...] | None


@dataclass(frozen=True, eq=False)
class Matrix:
    """
    Which trades go together, as arrays; a category's rank is its row in the catalogue.

    Parameters
    ----------
    rank
        By category id; of an id nobody knows, that of "other".
    complement
        0-1, symmetric: how much two categories help each other; 0 where nothing says so or they compete.
    competes
        Symmetric; a category competes with itself unless a row says otherwise.
    reach_m
        How far customers come, in metres.
    serves
        Whom a category serves: a bit a row of the groups.
    needs
        The need a category covers: the rank of its top category.
    group_bit
        By group id, which bit of `serves` is the group's.
    key
        Two matrices with one key are alike.
    which
        Of two ranks, which reason is theirs; -1 for none.
    reasons
        Why, in Chinese and in English, without a full stop.
    """

    rank: NDArray[np.int16]
    complement: NDArray[np.float32]
    competes: NDArray[np.bool_]
    reach_m: NDArray[np.float64]
    serves: NDArray[np.uint32]
    needs: NDArray[np.int16]
    group_bit: NDArray[np.uint8]
    key: str = field(repr=False)
    which: NDArray[np.int16] = field(repr=False)
    reasons: tuple[tuple[str, str], ...] = field(repr=False)

    def reason(self, a_id: int, b_id: int, language: Language) -> str:
        """Return why two categories help each other or compete, empty where nothing says why."""
        which = int(self.which[self.rank[a_id], self.rank[b_id]])
        return self.reasons[which][language == "en"] if which >= 0 else ""

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))


_kept: Kept[str, Matrix] = Kept(1 << 24)


def matrix(session: Session) -> Matrix:
    """Return the matrix the bank works with: the shipped one with the bank's own rows over it."""
    state = tuple(
        tuple(
            session.execute(
                select(func.count(), func.sum(table.c.revision), func.max(table.c.at)).select_from(table)
            ).one()
        )
        for table in (tables.complements, tables.category_terms)
    )
    if not any(count for count, _revisions, _at in state):
        return shipped()
    key = f"{session.get_bind().engine.url}{state}"
    return _kept.get(key, lambda: assembled(own_rows(session).values(), own_terms(session), key))


@cache
def shipped() -> Matrix:
    """Return the matrix as it is shipped."""
    return assembled((), {}, "shipped")


def assembled(own: Iterable[Row], terms: Mapping[str, Terms], key: str) -> Matrix:
    """
    Return a matrix of the shipped rows with others over them.

    A category's code stands for those under it as well, and the more specific row wins: of two equally
    specific ones the bank's own, then the one that says they compete, then the stronger. What a category
    is to itself only a row of exactly this category changes.
    """
    rows = {(row.a, row.b): (False, row) for row in shipped_rows()}
    rows |= {(row.a, row.b): (True, row) for row in own}
    ordered = sorted(rows.values(), key=lambda each: (_depth(each[1]), each[0], *_weight(each[1])))
    complement = np.zeros((len(CODES), len(CODES)), dtype=np.float32)
    competes = np.eye(len(CODES), dtype=np.bool_)
    which = np.full(complement.shape, -1, dtype=np.int16)
    for number, (_own, row) in enumerate(ordered):
        said = np.zeros(complement.shape, dtype=np.bool_)
        said[np.ix_(_under(row.a), _under(row.b))] = True
        said |= said.T
        np.fill_diagonal(said, (np.arange(len(CODES)) == RANK[row.a]) & (row.a == row.b))
        complement[said] = row.strength if row.relation == "complement" else 0
        competes[said] = row.relation == "compete"
        which[said] = number
    reach_m, serves = _resolved(terms)
    return Matrix(
        rank=_ranks(),
        complement=complement,
        competes=competes,
        reach_m=reach_m,
        serves=serves,
        needs=np.array([RANK[PARENT.get(code, code)] for code in CODES], dtype=np.int16),
        group_bit=_group_bits(),
        key=key,
        which=which,
        reasons=tuple((row.zh, row.en) for _own, row in ordered),
    )


def ordered_pair(a: str, b: str) -> Pair:
    """Return two codes in the order of the catalogue."""
    return (a, b) if RANK[a] <= RANK[b] else (b, a)


@cache
def shipped_rows() -> tuple[Row, ...]:
    """Return the pairs of the shipped file."""
    frame = pd.read_csv(FILE, dtype=str, keep_default_na=False)
    return tuple(
        Row(*ordered_pair(a, b), relation, float(strength), zh, en)
        for a, b, relation, strength, zh, en in frame[list(Row._fields)].to_numpy().tolist()
    )


@cache
def shipped_terms() -> dict[str, Terms]:
    """Return what the shipped file says of each category itself."""
    told = CATEGORIES[["code", "reach_m", "serves"]].to_numpy().tolist()
    return {
        code: Terms(float(reach) if reach else None, groups_of(serves) or None)
        for code, reach, serves in told
    }


def groups_of(codes: str) -> tuple[str, ...]:
    """Return codes of groups joined by |, apart."""
    return tuple(code.strip() for code in codes.split("|") if code.strip())


def own_rows(session: Session) -> dict[Pair, Row]:
    """Return the pairs the bank has rows of its own for; a row gone back to the shipped one is none."""
    table = tables.complements
    fields = [table.c[name] for name in Row._fields]
    found = session.execute(select(*fields).where(table.c.relation.in_(RELATIONS)))
    return {(row.a, row.b): Row(*row) for row in found if row.a in RANK and row.b in RANK}


def own_terms(session: Session) -> dict[str, Terms]:
    """Return what the bank itself says of categories."""
    table = tables.category_terms
    found = session.execute(select(table.c.code, table.c.reach_m, table.c.serves))
    return {
        row.code: Terms(
            row.reach_m, None if row.serves is None else tuple(filter(None, row.serves.split("|")))
        )
        for row in found
        if row.code in RANK
    }


def resolved_terms(own: Mapping[str, Terms]) -> dict[str, Terms]:
    """
    Return the reach and the groups of every category, none of them None.

    What the bank says of a category goes before what the file says of it, and either before its parent's.
    """
    told: dict[str, Terms] = {}
    for code in sorted(CODES, key=lambda code: code in PARENT):  # parents first
        mine, file = own.get(code, Terms(None, None)), shipped_terms()[code]
        above = told.get(PARENT.get(code, ""), Terms(DEFAULT_REACH_M, ()))
        told[code] = Terms(
            next(value for value in (mine.reach_m, file.reach_m, above.reach_m) if value is not None),
            next(value for value in (mine.serves, file.serves, above.serves) if value is not None),
        )
    return told


def _resolved(own: Mapping[str, Terms]) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    told = resolved_terms(own)
    bits = {code: 1 << bit for bit, code in enumerate(GROUP_CODES)}
    serves = [sum(bits[group] for group in set(told[code].serves or ()) & bits.keys()) for code in CODES]
    return np.array([told[code].reach_m for code in CODES]), np.array(serves, dtype=np.uint32)


def _depth(row: Row) -> int:
    """How specific a row is: how many of its codes stand for one category only."""
    return (row.a in PARENT) + (row.b in PARENT)


def _weight(row: Row) -> tuple[bool, float, str, str]:
    return row.relation == "compete", row.strength, row.a, row.b


@cache
def _under(code: str) -> NDArray[np.intp]:
    """Return the ranks a code stands for: its own and its children's."""
    return np.flatnonzero([each == code or PARENT.get(each) == code for each in CODES])


@cache
def _ranks() -> NDArray[np.int16]:
    ranks = np.full(int(CATEGORIES["id"].max()) + 1, RANK[_CODE_OF[OTHER_CATEGORY]], dtype=np.int16)
    ranks[CATEGORIES["id"].to_numpy()] = np.arange(len(CODES))
    return ranks


@cache
def _group_bits() -> NDArray[np.uint8]:
    other = int(np.flatnonzero(GROUPS["id"] == OTHER_GROUP)[0])
    bits = np.full(int(GROUPS["id"].max()) + 1, other, dtype=np.uint8)
    bits[GROUPS["id"].to_numpy()] = np.arange(len(GROUP_CODES))
    return bits

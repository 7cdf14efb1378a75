"""
Merchants and customers on a map on paper.

Merchants stand as dots until they would hide one another; then a bubble stands for all in a square, with the
share signed round its rim, as on screen. Customers never stand as points: see `Shades`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from reportlab.lib.colors import HexColor

from data.catalogue import CATEGORIES, STATUS_NAMES, STATUSES
from data.figures import FEWEST
from data.paper import fonts
from data.paper.legend import Key
from data.paper.sheets import ACCENT, GREY, INK, Box, Sheets
from data.paper.view import View
from geo.errors import N_

Floats = NDArray[np.float64]
SHADES = ("#fdf0d5", "#f8dca4", "#f0c069", "#e0a030", "#b57a17")
SHADES_FROM = (FEWEST, 20, 50, 100, 300)
QUIET = ("#d9ebe3", "#b5d8c8", "#86bfa7", "#549f82")
QUIET_FROM = (1, 5, 20, 50)
SIGNED, CONTACTED, CLOSED = (STATUSES.index(name) for name in ("signed", "contacted", "closed"))
DOT, BUBBLE_SIDE, SHADE_SIDE, QUIET_SIDE = 2.1, 26.0, 13.0, 10.0
BRANCH_ROOM = 4.5
MOST_DOTS, MOST_A_SPOT = 1500, 2.5
STOP = 4.1
_SPOT, _BESIDE, _ROUNDS = 7.0, 8.0, 60


@dataclass(frozen=True, eq=False)
class Dots:
    """Merchants: where, the colour of their category, and their status (an index into `STATUSES`)."""

    lon: Floats
    lat: Floats
    colours: NDArray[np.object_]
    status: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.lon)


@dataclass(frozen=True, eq=False)
class Shades:
    """Customers: where, and how many people each row is. Only squares of at least five are drawn."""

    lon: Floats
    lat: Floats
    people: Floats


def shades(sheets: Sheets, view: View, customers: Shades | None) -> list[Key]:
    """Shade squares by how many people they hold."""
    if customers is None or not len(customers.lon):
        return []
    x, y = view.points(customers.lon, customers.lat)
    _cell, people, left, bottom = _squares(view.box, x, y, SHADE_SIDE, customers.people)
    step = np.searchsorted(SHADES_FROM, people, side="right") - 1
    used = sorted({int(each) for each in step if each >= 0})
    for level in used:
        path = sheets.canvas.beginPath()
        for at in np.flatnonzero(step == level):
            path.rect(left[at] + 0.4, bottom[at] + 0.4, SHADE_SIDE - 0.8, SHADE_SIDE - 0.8)
        sheets.colour(fill=SHADES[level], opacity=0.85)
        sheets.canvas.drawPath(path, stroke=0, fill=1)
    sheets.colour(fill=INK)
    first = N_("Customers and targets: {count} or more")
    return [
        Key(
            "square",
            SHADES[level],
            f"{SHADES_FROM[level]}+" if at else sheets.say(first, count=SHADES_FROM[level]),
        )
        for at, level in enumerate(used)
    ]


def dots(
    sheets: Sheets, view: View, merchants: Dots | None, taken: list[Box], *, quiet: bool = False
) -> list[Key]:
    """Draw merchants as dots; where those would hide one another as bubbles, or, `quiet`, as a shade."""
    if merchants is None or not len(merchants):
        return []
    x, y = view.points(merchants.lon, merchants.lat)
    inside = np.flatnonzero(view.holds(x, y))
    if not len(inside):
        return []
    if _is_crowded(view.box, x[inside], y[inside]):
        if quiet:
            return _quiet(sheets, view.box, x[inside], y[inside])
        return _bubbles(sheets, view, x[inside], y[inside], merchants.status[inside], taken)
    for status in (CLOSED, STATUSES.index("known"), CONTACTED, SIGNED):
        of_status = inside[merchants.status[inside] == status]
        for colour in sorted(set(merchants.colours[of_status])):
            at = of_status[merchants.colours[of_status] == colour]
            _draw_dots(sheets, x[at], y[at], str(colour), status)
    return _keys(sheets, merchants.colours[inside], merchants.status[inside])


def _keys(sheets: Sheets, colours: NDArray[np.object_], status: NDArray[np.int8]) -> list[Key]:
    """Return what dots mean: statuses, then the categories that are there."""
    signs = {"signed": "dot", "contacted": "pale", "known": "ring", "closed": "faded"}
    there = {STATUSES[int(code)] for code in set(status.tolist())}
    statuses = [
        Key(sign, GREY, sheets.say(STATUS_NAMES[name])) for name, sign in signs.items() if name in there
    ]
    upper = CATEGORIES[CATEGORIES["parent_id"].isna()]
    used = set(colours.tolist())
    return statuses + [
        Key("dot", str(colour), str(name))
        for colour, name in zip(upper["colour"], upper[sheets.language], strict=True)
        if colour in used
    ]


def _draw_dots(sheets: Sheets, x: Floats, y: Floats, colour: str, status: int) -> None:
    """Draw dots of one look: full where signed, pale where contacted, hollow where only known."""
    canvas, path = sheets.canvas, sheets.canvas.beginPath()
    radius = DOT * (0.7 if status == CLOSED else 1.0)
    for across, up in zip(x, y, strict=True):
        path.circle(across, up, radius)
    paint(sheets, colour, status)
    canvas.setLineWidth(0.3 if status == SIGNED else 0.7)
    canvas.drawPath(path, stroke=1, fill=1)


def paint(sheets: Sheets, colour: str, status: int) -> None:
    """Choose what a dot of a status is drawn with."""
    fill, rim = "#ffffff", colour
    if status == SIGNED:
        fill, rim = colour, "#ffffff"
    elif status == CONTACTED:
        mixed = HexColor(colour)
        fill = "#" + "".join(
            f"{round(255 * (0.42 * part + 0.58)):02x}" for part in (mixed.red, mixed.green, mixed.blue)
        )
    elif status == CLOSED:
        fill, rim = "#d7d9dc", "#9aa1a9"
    sheets.colour(fill=fill, stroke=rim)


def _is_crowded(box: Box, x: Floats, y: Floats) -> bool:
    """Whether dots would hide one another."""
    if len(x) > MOST_DOTS:
        return True
    _cell, counts, _left, _bottom = _squares(box, x, y, _SPOT)
    return bool(len(x) > 100 and counts.mean() > MOST_A_SPOT)


def _bubbles(
    sheets: Sheets, view: View, x: Floats, y: Floats, status: NDArray[np.int8], taken: list[Box]
) -> list[Key]:
    """Draw a bubble for all in a square: how many, and round its rim the share signed."""
    cell, counts, left, bottom = _squares(view.box, x, y, BUBBLE_SIDE)
    signed = np.bincount(cell, weights=status == SIGNED, minlength=len(counts))
    across, up = (np.bincount(cell, weights=values) / counts for values in (x, y))
    radius = np.clip(3.0 + 2.6 * np.log10(counts), 5.0, BUBBLE_SIDE / 2 - 1)
    across = np.clip(across, left + radius, left + BUBBLE_SIDE - radius)
    up = np.clip(up, bottom + radius, bottom + BUBBLE_SIDE - radius)
    branch_x, branch_y = view.branch
    covers = np.hypot(across - branch_x, up - branch_y) < radius + BRANCH_ROOM
    radius[covers] = np.minimum(radius[covers], _BESIDE)  # it goes where four squares meet: there is room
    away = (radius[covers] + BRANCH_ROOM) / np.sqrt(2)
    across[covers] = branch_x + np.where(across[covers] < branch_x, -away, away)
    up[covers] = branch_y + np.where(up[covers] < branch_y, -away, away)
    for at in np.argsort(counts, kind="stable"):
        _bubble(sheets, across[at], up[at], radius[at], signed[at] / counts[at], _short(counts[at]))
        taken.append(Box(across[at] - radius[at], up[at] - radius[at], 2 * radius[at], 2 * radius[at]))
    meaning = N_("That many merchants; the rim is full as far as they are signed")
    return [Key("bubble", ACCENT, sheets.say(meaning))]


def _quiet(sheets: Sheets, box: Box, x: Floats, y: Floats) -> list[Key]:
    """Shade squares by how many merchants they hold."""
    _cell, counts, left, bottom = _squares(box, x, y, QUIET_SIDE)
    step = np.searchsorted(QUIET_FROM, counts, side="right") - 1
    keys: list[Key] = []
    for level in sorted(set(step.tolist())):
        path = sheets.canvas.beginPath()
        for at in np.flatnonzero(step == level):
            path.rect(left[at] + 0.3, bottom[at] + 0.3, QUIET_SIDE - 0.6, QUIET_SIDE - 0.6)
        sheets.colour(fill=QUIET[level], opacity=0.8)
        sheets.canvas.drawPath(path, stroke=0, fill=1)
        first = sheets.say(N_("Merchants: {count} or more"), count=QUIET_FROM[level])
        keys.append(Key("square", QUIET[level], f"{QUIET_FROM[level]}+" if keys else first))
    return keys


def _bubble(sheets: Sheets, x: float, y: float, radius: float, share: float, text: str) -> None:
    canvas = sheets.canvas
    sheets.colour(fill="#ffffff", stroke="#c6d0cb")
    canvas.setLineWidth(1.3)
    canvas.circle(x, y, radius, stroke=1, fill=1)
    if share > 0:
        sheets.colour(stroke=ACCENT)
        extent = min(359.9, 360 * share)
        canvas.arc(x - radius, y - radius, x + radius, y + radius, 90 - extent, extent)
    size = min(6.5, 2.1 * radius / len(text))
    sheets.line(text, x - fonts.width(text, size) / 2, y - size * 0.36, size=size)


def _squares(
    box: Box, x: Floats, y: Floats, side: float, weights: Floats | None = None
) -> tuple[NDArray[np.intp], Floats, Floats, Floats]:
    """Return of points the square each lies in; and of squares what they hold and where they begin."""
    column = np.floor((x - box.left) / side).astype(np.int64)
    row = np.floor((y - box.bottom) / side).astype(np.int64)
    codes, first, cell = np.unique(column * 1_000_003 + row, return_index=True, return_inverse=True)
    sums: Floats = np.bincount(cell, weights=weights, minlength=len(codes)).astype(np.float64)
    left: Floats = np.asarray(box.left + column[first] * side, dtype=np.float64)
    bottom: Floats = np.asarray(box.bottom + row[first] * side, dtype=np.float64)
    return np.asarray(cell, dtype=np.intp), sums, left, bottom


def _short(count: float) -> str:
    """Return a count in at most four letters."""
    if count < 1000:
        return f"{count:.0f}"
    return f"{count / 1000:.1f}k" if count < 10_000 else f"{count / 1000:.0f}k"


def stops(sheets: Sheets, view: View, walk: Floats, taken: list[Box]) -> None:
    """Draw the walk: a line from stop to stop, and their numbers."""
    if not len(walk):
        return
    x, y = view.points(walk[:, 0], walk[:, 1])
    canvas, path = sheets.canvas, sheets.canvas.beginPath()
    path.moveTo(x[0], y[0])
    for across, up in zip(x[1:], y[1:], strict=True):
        path.lineTo(across, up)
    sheets.colour(stroke=INK)
    canvas.setLineWidth(0.6)
    canvas.setDash(1.5, 1.5)
    canvas.drawPath(path, stroke=1, fill=0)
    canvas.setDash()
    sheets.colour(stroke=GREY, fill=INK)
    canvas.setLineWidth(0.4)
    at_x, at_y = _apart(x, y, 2 * STOP + 0.6)
    for across, up, spot_x, spot_y in zip(at_x, at_y, x, y, strict=True):
        canvas.line(spot_x, spot_y, across, up)
        canvas.circle(spot_x, spot_y, 0.8, stroke=0, fill=1)
    for stop, (across, up) in enumerate(zip(at_x, at_y, strict=True), start=1):
        text, size = str(stop), 5.0 if stop < 100 else 4.0
        sheets.colour(fill=INK, stroke="#ffffff")
        canvas.setLineWidth(0.5)
        canvas.circle(across, up, STOP, stroke=1, fill=1)
        half = fonts.width(text, size) / 2
        sheets.line(text, across - half, up - size * 0.36, size=size, colour="#ffffff")
        taken.append(Box(across - STOP, up - STOP, 2 * STOP, 2 * STOP))


def _apart(x: Floats, y: Floats, least: float) -> tuple[Floats, Floats]:
    """Return spots moved as little as makes each be seen: none nearer to another than that, if it can be."""
    turn = np.arange(len(x)) * 2.4  # what lies on one spot goes round it
    spots = np.column_stack([x + 0.01 * np.cos(turn), y + 0.01 * np.sin(turn)])
    for _round in range(_ROUNDS):
        apart = spots[:, None] - spots[None]
        far = np.hypot(apart[..., 0], apart[..., 1])
        np.fill_diagonal(far, np.inf)
        short = np.clip(least - far, 0, None)
        if not short.any():
            break
        spots = spots + (apart / far[..., None] * short[..., None] / 2).sum(axis=1)
    return spots[:, 0], spots[:, 1]

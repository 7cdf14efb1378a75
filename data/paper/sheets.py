"""Sheets of A4: what stands on each of them, text and tables in their places, measured in points."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from data.paper import fonts
from data.words import Language, say
from geo.errors import N_

MARGIN = 30.0
TITLE, HEADING, BODY, SMALL = 16.0, 10.5, 8.5, 7.0
LEADING = 1.35
INK, GREY, LINE, BAND, ACCENT = "#1d2a26", "#5f6b66", "#c9d2ce", "#f1f5f3", "#0f5c4a"
_PADDING = 3.0


@dataclass(frozen=True)
class Box:
    """A rectangle on a sheet."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.bottom + self.height

    def rows(self, height: float, gap: float = 0.0) -> tuple[Box, Box]:
        """Return a strip off the top, and the rest below."""
        upper = Box(self.left, self.top - height, self.width, height)
        return upper, Box(self.left, self.bottom, self.width, max(0.0, self.height - height - gap))

    def columns(self, width: float, gap: float = 0.0) -> tuple[Box, Box]:
        """Return a strip off the left, and the rest beside it."""
        rest = Box(self.left + width + gap, self.bottom, max(0.0, self.width - width - gap), self.height)
        return Box(self.left, self.bottom, width, self.height), rest

    def inset(self, by: float) -> Box:
        """Return the box without a rim."""
        return Box(self.left + by, self.bottom + by, self.width - 2 * by, self.height - 2 * by)


@dataclass(frozen=True)
class Column:
    """
    A column of a table.

    Parameters
    ----------
    title
        In the language of the sheet.
    part
        Of the width, in comparison with the others'.
    right
        Whether its cells end at its right edge, as numbers do.
    lines
        The most a cell takes.
    """

    title: str
    part: float
    right: bool = False
    lines: int = 1


class Sheets:
    """
    A document that is being drawn, sheet by sheet.

    Parameters
    ----------
    title
        Of the document; nothing personal.
    footer
        Stands at the foot of every sheet, beside its number.
    language
        Of its own words.
    upright
        Whether sheets are higher than wide.
    """

    def __init__(self, title: str, footer: str, language: Language, *, upright: bool) -> None:
        fonts.load()
        self.language = language
        self.footer = footer
        self.size: tuple[float, float] = A4 if upright else landscape(A4)
        self._out = io.BytesIO()
        # `invariant`: the same content makes the same bytes.
        self.canvas = Canvas(
            self._out, pagesize=self.size, invariant=1, pageCompression=1, initialFontName=fonts.REGULAR
        )
        self.canvas.setTitle(fonts.clean(title))
        self.canvas.setAuthor("Zhendi")
        self.canvas.setCreator("Zhendi")
        self.canvas.setSubject("")
        self._sheets: list[dict[str, Any]] = []
        self._begun = False

    def turn(self, heading: str, note: str = "") -> Box:
        """Begin a sheet with a heading and a smaller line below it; return the room that is left."""
        self._finish()
        self._begun = True
        wide, high = self.size
        whole = Box(MARGIN, MARGIN, wide - 2 * MARGIN, high - 2 * MARGIN)
        top, rest = whole.rows(TITLE * LEADING)
        wanted = fonts.width(fonts.clean(heading), TITLE, bold=True)
        size = max(0.7 * TITLE, min(TITLE, TITLE * top.width / max(wanted, 1.0)))
        self.line(heading, top.left, top.top - TITLE, size=size, bold=True, colour=ACCENT, room=top.width)
        if note:
            strip, rest = rest.rows(SMALL * LEADING + 4)
            self.line(note, strip.left, strip.top - SMALL, size=SMALL, colour=GREY, room=strip.width)
        self.rule(rest.left, rest.right, rest.top, colour=ACCENT)
        _, rest = rest.rows(7)
        return Box(rest.left, rest.bottom + 12, rest.width, rest.height - 12)

    def done(self) -> bytes:
        """Return the document, every sheet with its number."""
        self._finish()
        wide, _high = self.size
        for number, sheet in enumerate(self._sheets, start=1):
            self.canvas.__dict__.update(sheet)
            count = f"{number} / {len(self._sheets)}"
            self.line(self.footer, MARGIN, MARGIN - 8, size=SMALL, colour=GREY, room=wide - 2 * MARGIN - 40)
            self.line(count, wide - MARGIN, MARGIN - 8, size=SMALL, colour=GREY, right=True)
            self.canvas.showPage()
        self.canvas.save()
        return self._out.getvalue()

    def _finish(self) -> None:
        """Put the sheet aside until it is known how many there are."""
        if self._begun:
            self._sheets.append(dict(self.canvas.__dict__))
            self.canvas._startPage()
            self._begun = False

    def say(self, message: str, **values: object) -> str:
        """Return a marked message in the sheets' language."""
        return say(message, self.language, **values)

    # Marks -----------------------------------------------------------------------------------------------

    def colour(self, fill: str | None = None, stroke: str | None = None, *, opacity: float = 1.0) -> None:
        """Set what is drawn with next."""
        if fill is not None:
            self.canvas.setFillColor(HexColor(fill))
            self.canvas.setFillAlpha(opacity)
        if stroke is not None:
            self.canvas.setStrokeColor(HexColor(stroke))

    def rule(self, left: float, right: float, y: float, *, colour: str = LINE, thick: float = 0.7) -> None:
        """Draw a line across."""
        self.colour(stroke=colour)
        self.canvas.setLineWidth(thick)
        self.canvas.line(left, y, right, y)

    def panel(self, box: Box, *, fill: str = BAND) -> None:
        """Fill a box with a quiet colour."""
        self.colour(fill=fill)
        self.canvas.roundRect(box.left, box.bottom, box.width, box.height, 3, stroke=0, fill=1)

    def line(
        self,
        text: str,
        x: float,
        y: float,
        *,
        size: float = BODY,
        bold: bool = False,
        colour: str = INK,
        right: bool = False,
        room: float | None = None,
    ) -> None:
        """Write one line with its foot at y, from x or up to it; `room` cuts what is too long."""
        shown = fonts.clean(text) if room is None else fonts.fitted(text, room, size, bold=bold)
        self.colour(fill=colour)
        self.canvas.setFont(fonts.BOLD if bold else fonts.REGULAR, size)
        (self.canvas.drawRightString if right else self.canvas.drawString)(x, y, shown)

    def lines(
        self,
        text: str,
        box: Box,
        *,
        size: float = BODY,
        bold: bool = False,
        colour: str = INK,
        most: int = 99,
    ) -> Box:
        """Write text from a box's top, as many lines as fit; return what is left below."""
        step = size * LEADING
        shown = fonts.broken(
            text, box.width, size, bold=bold, most=max(1, min(most, int(box.height // step)))
        )
        y = box.top
        for line in shown:
            y -= step
            self.line(line, box.left, y + (step - size), size=size, bold=bold, colour=colour)
        return Box(box.left, box.bottom, box.width, max(0.0, y - box.bottom))

    def heading(self, text: str, box: Box) -> Box:
        """Write a part's heading; return what is left below."""
        strip, rest = box.rows(HEADING * LEADING + 2)
        self.line(
            text, strip.left, strip.bottom + 4, size=HEADING, bold=True, colour=ACCENT, room=strip.width
        )
        return rest

    def pairs(self, box: Box, pairs: Sequence[tuple[str, str]]) -> Box:
        """Write titles and values, one below the other; return what is left."""
        for title, value in pairs:
            strip, box = box.rows(11.5)
            y = strip.bottom + 3
            own = min(fonts.width(fonts.clean(title), SMALL) + 8, 0.6 * strip.width)
            self.line(title, strip.left, y, size=SMALL, colour=GREY, room=own)
            self.line(value, strip.right, y, size=SMALL, right=True, room=strip.width - own)
            self.rule(strip.left, strip.right, strip.bottom, thick=0.3)
        return box.rows(6)[1]

    def table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[str]],
        box: Box,
        *,
        size: float = BODY,
        strong: Sequence[int] = (),
    ) -> tuple[int, Box]:
        """
        Write as many rows as fit.

        Parameters
        ----------
        columns, rows
            Cells in the order of the columns.
        box
            The room.
        size
            Of the letters.
        strong
            Which rows stand out: a total.

        Returns
        -------
        written, rest
            How many rows there was room for, and what is left below them.
        """
        edges = _edges(columns, box)
        step = size * LEADING
        titles = [
            fonts.broken(column.title, right - left - 2 * _PADDING, size, bold=True, most=2)
            for column, (left, right) in zip(columns, edges, strict=True)
        ]
        high = max(map(len, titles))
        titles = [[""] * (high - len(lines)) + lines for lines in titles]  # they stand on the rule below
        y = self._cells(titles, columns, edges, box.top, size, bold=True)
        self.rule(box.left, box.right, y, colour=GREY)
        written = 0
        for number, row in enumerate(rows):
            cells = [
                fonts.broken(
                    cell, right - left - 2 * _PADDING, size, bold=number in strong, most=column.lines
                )
                for cell, column, (left, right) in zip(row, columns, edges, strict=True)
            ]
            if y - max(map(len, cells)) * step - _PADDING < box.bottom:
                break
            y = self._cells(cells, columns, edges, y, size, bold=number in strong)
            self.rule(box.left, box.right, y, thick=0.3)
            written += 1
        return written, Box(box.left, box.bottom, box.width, max(0.0, y - box.bottom))

    def _cells(
        self,
        cells: Sequence[Sequence[str]],
        columns: Sequence[Column],
        edges: Sequence[tuple[float, float]],
        top: float,
        size: float,
        *,
        bold: bool,
    ) -> float:
        """Write a row of cells below a height; return where it ends."""
        step = size * LEADING
        for lines, column, (left, right) in zip(cells, columns, edges, strict=True):
            for at, text in enumerate(lines):
                y = top - (at + 1) * step + (step - size)
                x = right - _PADDING if column.right else left + _PADDING
                self.line(text, x, y, size=size, bold=bold, right=column.right)
        return top - max(map(len, cells)) * step - _PADDING


def _edges(columns: Sequence[Column], box: Box) -> list[tuple[float, float]]:
    """Return where each column begins and ends."""
    whole = sum(column.part for column in columns)
    edges, left = [], box.left
    for column in columns:
        right = left + box.width * column.part / whole
        edges.append((left, right))
        left = right
    return edges


def footer(language: Language, branch: str, day: str) -> str:
    """Return what stands at the foot of every sheet: whose it is, of which day, and for whom."""
    return say(N_("{branch} · printed {day} · for internal use only"), language, branch=branch, day=day)

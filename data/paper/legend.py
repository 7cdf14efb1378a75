"""What the signs of a map mean, in a strip below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data.paper import fonts
from data.paper.sheets import GREY, SMALL, Box, Sheets

_STEP, _SIGN, _GAP = 10.5, 9.0, 10.0


@dataclass(frozen=True)
class Key:
    """
    A sign and what it means.

    Parameters
    ----------
    sign
        `dot`, `ring`, `pale`, `faded`, `square`, `bubble`, `line`, or `none`: a remark.
    colour
        Of the sign.
    text
        What it means, in the language of the sheet.
    """

    sign: str
    colour: str
    text: str


def draw(sheets: Sheets, box: Box, keys: Sequence[Key]) -> Box:
    """Draw signs with what they mean, side by side as far as there is room; return what is left below."""
    x, y = box.left, box.top - SMALL
    for key in keys:
        text = fonts.fitted(key.text, box.width - _SIGN, SMALL)
        sign = 0.0 if key.sign == "none" else _SIGN
        wide = sign + fonts.width(text, SMALL)
        if x > box.left and x + wide > box.right:
            x, y = box.left, y - _STEP
        if y < box.bottom:
            return Box(box.left, box.bottom, box.width, 0)
        if sign:
            _sign(sheets, key, x + 3, y + 2.4)
        sheets.line(text, x + sign, y, size=SMALL, colour=GREY)
        x += wide + _GAP
    return Box(box.left, box.bottom, box.width, max(0.0, y - 4 - box.bottom))


def _sign(sheets: Sheets, key: Key, x: float, y: float) -> None:
    canvas = sheets.canvas
    sheets.colour(fill=key.colour, stroke=key.colour)
    canvas.setLineWidth(0.8)
    if key.sign == "square":
        canvas.rect(x - 3, y - 3, 6, 6, stroke=0, fill=1)
    elif key.sign == "line":
        canvas.setLineWidth(1.4)
        canvas.line(x - 3, y, x + 3, y)
    elif key.sign == "bubble":
        sheets.colour(fill="#ffffff")
        canvas.circle(x, y, 3, stroke=1, fill=1)
    else:
        pale = {"ring": "#ffffff", "pale": "#c8cfcb", "faded": "#d7d9dc"}.get(key.sign)
        sheets.colour(fill=pale or key.colour)
        canvas.circle(x, y, 2.4, stroke=1, fill=1)

"""The font of everything printed: embedded, never the machine's own; text measured, broken and cut to fit."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from geo.errors import N_, FileError

REGULAR, BOLD = "Zhendi", "ZhendiBold"
_FOLDER = Path(__file__).resolve().parents[2] / "node_modules" / "@expo-google-fonts" / "noto-sans-sc"
FILES = {
    REGULAR: _FOLDER / "400Regular" / "NotoSansSC_400Regular.ttf",
    BOLD: _FOLDER / "700Bold" / "NotoSansSC_700Bold.ttf",
}
ONE_AT_A_TIME = Lock()
"""Held while a document is drawn: all share the fonts, which keep their place in their files."""
_CLOSING = "，。、；：？！）》」』”’…·%,.;:?!)]}/-"
_WIDE = ("W", "F")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # controls, direction marks, what is no letter


@cache
def load() -> None:
    """
    Make the fonts known, once.

    Raises
    ------
    FileError
        When they are not installed.
    """
    rl_config.useA85 = 0  # sheets as bytes, not as letters: smaller, and much sooner written
    for name, path in FILES.items():
        if not path.is_file():
            raise FileError(N_("The font for paper is not installed: run `make setup`."))
        pdfmetrics.registerFont(TTFont(name, str(path)))


def clean(text: str) -> str:
    """Return text as one line of letters: control and direction marks go, every gap is one space."""
    spaced = "".join(" " if letter.isspace() else letter for letter in text)
    seen = "".join(letter for letter in spaced if unicodedata.category(letter) not in _INVISIBLE)
    return " ".join(seen.split())


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a line of text is, in points."""
    return float(pdfmetrics.stringWidth(text, BOLD if bold else REGULAR, size))


@lru_cache(maxsize=20_000)
def _width(piece: str, size: float, bold: bool) -> float:
    return width(piece, size, bold=bold)


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return one line that fits: what is too long loses its end, and shows it."""
    line = clean(text)
    if width(line, size, bold=bold) <= room:
        return line
    low, high = 0, len(line)
    while low < high:  # the longest beginning that fits with its dots
        middle = (low + high + 1) // 2
        if width(line[:middle] + "…", size, bold=bold) <= room:
            low = middle
        else:
            high = middle - 1
    return line[:low].rstrip() + "…"


def broken(text: str, room: float, size: float, *, bold: bool = False, most: int = 99) -> list[str]:
    """
    Return text in lines that fit: broken between Chinese letters and at spaces, before no closing mark.

    Parameters
    ----------
    text
        Line ends in it stay.
    room, size, bold
        In points.
    most
        Lines; the last one shows what is cut off.
    """
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line, taken = "", 0.0  # letters stand side by side: a line is as wide as its pieces together
        for piece in _pieces(clean(paragraph)):
            own = _width(piece, size, bold)
            if line and taken + _width(piece.rstrip(), size, bold) > room:
                lines.append(line.rstrip())
                line, taken = "", 0.0
            line, taken = line + piece, taken + own
            while taken > room and len(line.rstrip()) > 1 and width(line.rstrip(), size, bold=bold) > room:
                head = fitted(line, room, size, bold=bold)[:-1] or line[0]  # one word wider than the room
                lines.append(head)
                line = line[len(head) :]
                taken = width(line, size, bold=bold)
        lines.append(line.rstrip())
    if len(lines) > most:
        lines = [*lines[: most - 1], fitted(" ".join(lines[most - 1 :]), room, size, bold=bold)]
    return lines


def _pieces(text: str) -> list[str]:
    """Return what must not be parted: a word with the space after it, a Chinese letter with its mark."""
    pieces: list[str] = []
    for letter in text:
        apart = (
            not pieces
            or pieces[-1].endswith(" ")
            or (letter not in _CLOSING and letter != " " and (_is_wide(letter) or _is_wide(pieces[-1][-1])))
        )
        if apart:
            pieces.append(letter)
        else:
            pieces[-1] += letter
    return pieces


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in _WIDE

"""
The customer map against its sizes and its peers, in one run and a real browser.

    python benchmarks/map.py [--sizes 1000,10000,100000,1000000] [--quick] [--json FILE] [--only NAME,…]

Everything is on this machine and nothing comes from a CDN, which favours the peers; no map has a base map.
Each page has as many customers as merchants, the same cards, tables and charts. A first map is a cold visit
(a new profile) to a warm server; it ends when the map is drawn, whatever else of the page is still to come.
A move is a key on the slider; it ends when the map shows the new circle and the figures stand.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import browser, report, servers, stores
from benchmarks.browser import Measured
from benchmarks.report import Target, median, ratio
from geo.tiles import MAX_POINTS

SIZES = (1_000, 10_000, 100_000, 1_000_000)
OURS = "ours"


@dataclasses.dataclass(frozen=True)
class Peer:
    """
    What a user would pick instead.

    Parameters
    ----------
    key, script
        Its name on the command line, and its file in peers/.
    rows
        Merchants it is measured at.
    name
        In the table.
    visits, moves
        How often.
    """

    key: str
    script: str
    rows: int
    name: str
    visits: int = 3
    moves: int = 3


PEERS = (
    Peer("circles", "circle_markers", 5_000, "streamlit-folium, a CircleMarker a row"),
    Peer("clusters", "marker_cluster", 100_000, "streamlit-folium, FastMarkerCluster"),
    Peer("deck", "deck", 1_000_000, "st.pydeck_chart, ScatterplotLayer", visits=2),
    Peer("empty", "empty_map", 5_000, "the limit: the page with an empty folium map", 5, 6),
    Peer("empty", "empty_map", 1_000_000, "the limit, at a million rows", 3, 6),
)
QUICK_ROWS = {"circles": 1_000, "clusters": 10_000, "deck": 10_000, "empty": 1_000}


def main() -> None:
    """Measure, print, and tell by the exit status whether every promise that was measured was kept."""
    options = _options()
    sizes = (1_000, 10_000) if options.quick else tuple(int(size) for size in options.sizes.split(","))
    visits, moves = (2, 3) if options.quick else (5, 12)
    only = set(options.only.split(",")) if options.only else {OURS, *(peer.key for peer in PEERS)}
    peers = [_quick(peer) if options.quick else peer for peer in PEERS if peer.key in only]
    if OURS in only:
        sizes = tuple(sorted({*sizes, *(peer.rows for peer in peers)}))
    ours = [ours_at(size, visits, moves) for size in sizes] if OURS in only else []
    theirs = {(peer.key, peer.rows): theirs_at(peer) for peer in dict.fromkeys(peers)}
    found = promises(ours, theirs)
    print(figures_table([*ours, *theirs.values()]))
    print()
    print(report.targets_table(found))
    if options.json:
        Path(options.json).write_text(json.dumps(_record(ours, theirs, found), indent=1), encoding="utf-8")
    sys.exit(any(target.kept is False for target in found))


def ours_at(rows: int, visits: int, moves: int) -> Measured:
    """Measure the app with so many merchants."""
    _say(f"measuring ours at {rows:,} …")
    store = stores.made(rows)
    with servers.app(store) as server, browser.chromium() as chrome:
        url = f"{server.url}/?branch={stores.CODE}"
        found, seen = browser.measure(chrome, url, "ours", OURS, rows, visits=visits, moves=moves)
        layers = {layer: store.frame(layer) for layer in ("merchants", "customers")}
        found.biggest_tile = browser.biggest_tile(seen, layers, MAX_POINTS)
        found.memory_mb = server.memory_mb()
    _say(" | ".join(_line(found)))
    return found


def theirs_at(peer: Peer) -> Measured:
    """Measure a peer."""
    _say(f"measuring {peer.name}, at {peer.rows:,} …")
    store = stores.made(peer.rows)
    with servers.peer(peer.script, store) as server, browser.chromium(webgl=peer.key == "deck") as chrome:
        found, _ = browser.measure(
            chrome, server.url, peer.name, peer.key, peer.rows, visits=peer.visits, moves=peer.moves
        )
        found.memory_mb = server.memory_mb()
    _say(" | ".join(_line(found)))
    return found


def promises(ours: Sequence[Measured], theirs: dict[tuple[str, int], Measured]) -> list[Target]:
    """Return what was promised, beside what was measured."""
    at = {found.rows: found for found in ours}
    least, most = (at[min(at)], at[max(at)]) if at else (None, None)
    grown = least is not most
    found = [
        Target("first map, smallest to largest", _times(most, least, "first_s") if grown else None, 1.5),
        Target("slider move, smallest to largest", _times(most, least, "move_s") if grown else None, 2),
        Target("slider move, slowest median", _worst(ours, "move_s"), 0.5, unit="s"),
        Target("websocket a move, most", _worst_kb(ours), 50, unit="kB"),
        Target("biggest tile", _worst_tile_kb(ours), 150, unit="kB"),
    ]
    for key, name, first, move in (
        ("circles", "CircleMarker", 3, 20),
        ("clusters", "FastMarkerCluster", 1, 8),
        ("deck", "pydeck", 8, 40),
    ):
        for (peer, rows), measured in theirs.items():
            if peer == key:
                mine = at.get(rows)
                faster = f"faster than {name} at {rows:,}"
                found.append(Target(f"first map {faster}", _times(measured, mine, "first_s"), first, True))
                found.append(Target(f"move {faster}", _times(measured, mine, "move_s"), move, True))
    return found


def _times(measured: Measured | None, base: Measured | None, what: str) -> float | None:
    if measured is None or base is None:
        return None
    return ratio(median(getattr(measured, what)), median(getattr(base, what)))


def _worst(ours: Sequence[Measured], what: str) -> float | None:
    medians = [median(getattr(found, what)) for found in ours]
    return max((value for value in medians if value is not None), default=None)


def _worst_kb(ours: Sequence[Measured]) -> float | None:
    return max((size / 1000 for found in ours for size in found.move_bytes), default=None)


def _worst_tile_kb(ours: Sequence[Measured]) -> float | None:
    tiles = [found.biggest_tile for found in ours if found.biggest_tile]
    return max((int(str(tile["bytes"])) / 1000 for tile in tiles), default=None)


def figures_table(measured: Sequence[Measured]) -> str:
    """Return everything that was measured, a line a page."""
    header = (
        "page", "merchants", "first ever s", "first map s (min / median)", "with figures s",
        "move s (min / median)", "of it map s", "of it figures s", "move kB", "tiles first / move",
        "biggest tile kB", "server MB",
    )  # fmt: skip
    return report.table(header, [_line(found) for found in measured])


def _line(found: Measured) -> list[str]:
    number = lambda value: report.NONE if value is None else f"{value:.2f}"  # noqa: E731
    return [
        found.name,
        f"{found.rows:,}",
        number(found.first_ever_s),
        report.least_and_median(found.first_s),
        number(median(found.first_figures_s)),
        report.least_and_median(found.move_s, 3),
        number(median(found.move_map_s)),
        number(median(found.move_figures_s)),
        report.kilobytes(median(found.move_bytes)),
        f"{median(found.first_tiles) or 0:.0f} / {median(found.move_tiles) or 0:.0f}",
        _tile(found.biggest_tile),
        report.NONE if found.memory_mb is None else f"{found.memory_mb:,.0f}",
    ]


def _tile(tile: dict[str, object] | None) -> str:
    if tile is None:
        return report.NONE
    return f"{report.kilobytes(int(str(tile['bytes'])))} ({tile['layer']} {tile['tile']})"


def _record(
    ours: Sequence[Measured], theirs: dict[tuple[str, int], Measured], found: Sequence[Target]
) -> dict[str, object]:
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.system()}
    return {
        "machine": machine,
        "measured": [dataclasses.asdict(each) for each in (*ours, *theirs.values())],
        "promises": [{**target._asdict(), "kept": target.kept} for target in found],
    }


def _quick(peer: Peer) -> Peer:
    return dataclasses.replace(peer, rows=QUICK_ROWS[peer.key], visits=1, moves=2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="merchants, separated by commas")
    parser.add_argument("--quick", action="store_true", help="small sizes, few repeats: does it run at all")
    known = ", ".join([OURS, *sorted({peer.key for peer in PEERS})])
    parser.add_argument("--only", help=f"some of {known}, separated by commas")
    parser.add_argument("--json", metavar="FILE", help="write every measurement there too")
    return parser.parse_args()


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""
How well doubles are found in labelled lists, and how fast.

    python benchmarks/doubles.py [--seeds 3] [--rows 6000]
    python benchmarks/doubles.py --pairs FILE
    python benchmarks/doubles.py --make FILE --rows N --seed S
    python benchmarks/doubles.py --speed ROWS

A labelled list is a merchant list with a column `same_as`, which names the row each double is a double of: by
an identifier, a name, or a row's number; which, is found out. Rows joined so make groups; every
two rows of a group are a pair to be found. Precision and recall are shares of pairs; what is found is joined
into groups too.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks import report, twins
from benchmarks.report import Target
from data import catalogue
from data.files import readers
from data.lists import doubles
from data.lists.doubles import CERTAIN, POSSIBLE, PROBABLE, Pairs, Signs
from data.lists.survey import LICENCE, survey_of
from data.meaning import kinds

LABELS = re.compile(
    r"^(same_?as|sameas|double_?of|duplicate_?of|dup_?of|重复于|同一商户|相同于|与.*相同)$", re.I
)
LEVELS = {"certain": CERTAIN, "certain + probable": PROBABLE, "all": POSSIBLE}
BOUNDS = (("precision", PROBABLE, 0.98), ("recall", PROBABLE, 0.95), ("precision", CERTAIN, 0.995))
SHOWN = 6


@dataclass(frozen=True)
class Labelled:
    """A list with what is known of its doubles."""

    frame: pd.DataFrame
    """`name, phone, address, lon, lat, noise` as text or numbers, one line a row."""
    signs: Signs
    group: np.ndarray
    """Rows with one number are one merchant."""
    taken: str
    """What `same_as` was taken to name."""


def main() -> None:
    """Measure, print, and tell by the exit status whether the promise was kept."""
    options = _options()
    if options.make:
        _write(twins.made(options.rows, options.seed).drop(columns="noise"), Path(options.make))
        return
    if options.speed:
        print(json.dumps(speed(options.speed)) if options.json else _speed_words(speed(options.speed)))
        return
    if options.pairs:
        lists = {options.pairs: read(Path(options.pairs))}
    else:
        seeds = range(options.seed, options.seed + options.seeds)
        lists = {f"seed {seed}": of_frame(twins.made(options.rows, seed)) for seed in seeds}
    found = {name: judged(each) for name, each in lists.items()}
    targets = _targets(found)
    if options.json:
        print(
            json.dumps(
                {"lists": found, "kept": all(each.kept for each in targets)}, ensure_ascii=False, indent=1
            )
        )
    else:
        _print(found, targets)
    sys.exit(not all(each.kept for each in targets))


# --- reading ----------------------------------------------------------------------------------------------


def read(path: Path) -> Labelled:
    """Return a labelled list in any format the importer reads."""
    table = readers.open_table(path)
    survey = survey_of(table, "merchants", None, "wgs84", lambda _share: None, keep_texts=True)
    parts = []
    for chunk in table.chunks():
        odd = pd.DataFrame(index=range(len(chunk.ragged)), columns=chunk.frame.columns).fillna("")
        parts.append(pd.concat([chunk.frame, odd], ignore_index=True))
    raw = pd.concat(parts, ignore_index=True)
    label = next((header for header in raw.columns if LABELS.match(header.strip())), None)
    if label is None:
        raise SystemExit(f"no column of {', '.join(raw.columns)} is called same_as")
    frame = pd.DataFrame({**survey.texts, "lon": survey.lon, "lat": survey.lat, "noise": ""})
    group, taken = grouped(raw, label, survey.row, frame)
    placed = np.isfinite(frame["lon"].to_numpy(float))
    category = survey.category
    whole = frame[placed].reset_index(drop=True)
    return Labelled(whole, _signs(whole, category[placed], whole.get(LICENCE)), group[placed], taken)


def of_frame(made: pd.DataFrame) -> Labelled:
    """Return a list of `benchmarks.twins` as it would be read."""
    frame = made.rename(columns={"商户名称": "name", "联系电话": "phone", "详细地址": "address"})
    codes = kinds.category_codes(made["行业类别"].astype("str"))
    ids = {row.code: row.id for row in catalogue.CATEGORIES.itertuples()}
    category = np.array([ids.get(code, 0) for code in codes])
    group, taken = grouped(made, twins.LABEL, np.arange(len(made)) + 2, frame)
    return Labelled(frame, _signs(frame, category, None), group, taken)


def _signs(frame: pd.DataFrame, category: np.ndarray, ids: pd.Series | None) -> Signs:
    return doubles.signs_of(
        frame["name"], frame["phone"], frame["address"], frame["lon"], frame["lat"], category, ids
    )


def grouped(
    raw: pd.DataFrame, label: str, numbers: np.ndarray, frame: pd.DataFrame
) -> tuple[np.ndarray, str]:
    """Return the group of every row, and what the labels were taken to name."""
    said = _plain(raw[label])
    has = np.flatnonzero(said != "")
    others = {header: _plain(raw[header]) for header in raw.columns if header not in (label, "noise")}
    count = len(raw)
    others["row of the file"] = numbers.astype(str).astype(object)
    others["row of the data, from 1"] = np.arange(1, count + 1).astype(str).astype(object)
    others["row of the data, from 0"] = np.arange(count).astype(str).astype(object)
    best: tuple[float, float, str, np.ndarray] = (0.0, 0.0, "", np.empty(0))
    x, y = (frame[axis].to_numpy(float) for axis in ("lon", "lat"))
    for name, values in others.items():
        target = _meant(values, said, has, x, y)
        known = target >= 0
        if not known.any():
            continue
        a, b = has[known], target[known]
        apart = a != b
        gap = float(np.nanmedian(np.hypot(x[a] - x[b], y[a] - y[b])[apart])) if apart.any() else 9.0
        if (round(known.mean(), 2), -gap) > (best[0], best[1]):
            best = (round(known.mean(), 2), -gap, name, np.column_stack([a, b]))
    if best[0] < 0.5:
        groups = pd.factorize(
            pd.Series(said).where(said != "", pd.Series(np.arange(count)).astype(str) + "/row")
        )[0]
        return groups, "a group"
    return _components(
        best[3][:, 0], best[3][:, 1], count
    ), f"{best[2]} ({best[0]:.0%} of the labels are one)"


def _meant(values: np.ndarray, said: np.ndarray, has: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the row each label names, of several namesakes the nearest other; -1 for none."""
    rows: dict[str, list[int]] = {}
    for at, value in enumerate(values.tolist()):
        rows.setdefault(value, []).append(at)
    target = np.full(len(has), -1)
    for i, at in enumerate(has.tolist()):
        named = rows.get(said[at], [])
        others = [row for row in named if row != at] or named
        if others:
            target[i] = min(others, key=lambda row: (np.hypot(x[row] - x[at], y[row] - y[at]), row))
    return target


def _plain(values: pd.Series) -> np.ndarray:
    return (
        values.astype(str)
        .str.strip()
        .str.replace(r"^(\d+)\.0$", r"\1", regex=True)
        .replace("nan", "")
        .to_numpy(object)
    )


def _components(a: np.ndarray, b: np.ndarray, count: int) -> np.ndarray:
    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


# --- judging ----------------------------------------------------------------------------------------------


def judged(labelled: Labelled) -> dict[str, Any]:
    """Return how well the doubles of a list are found, and the worst misses."""
    start = time.process_time()
    pairs = doubles.within(labelled.signs)
    seconds = time.process_time() - start
    count = len(labelled.signs)
    truth = _pairs_of(labelled.group)
    figures = {}
    for name, level in LEVELS.items():
        kept = pairs.at_least(level)
        figures[name] = _figures(_pairs_of(_components(kept.a, kept.b, count)), truth)
    kept = pairs.at_least(PROBABLE)
    found = _pairs_of(_components(kept.a, kept.b, count))
    return {
        "rows": count,
        "labelled": len(truth),
        "label": labelled.taken,
        "seconds": round(seconds, 2),
        "levels": figures,
        "missed": _examples(labelled, pairs, truth - found),
        "wrong": _examples(labelled, pairs, found - truth),
    }


def _pairs_of(group: np.ndarray) -> set[tuple[int, int]]:
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    pairs: set[tuple[int, int]] = set()
    for rows in np.split(order, cuts):
        if len(rows) > 1:
            members = sorted(rows.tolist())
            pairs.update((a, b) for i, a in enumerate(members) for b in members[i + 1 :])
    return pairs


def _figures(found: set[tuple[int, int]], truth: set[tuple[int, int]]) -> dict[str, float]:
    right = len(found & truth)
    precision = right / len(found) if found else 1.0
    recall = right / len(truth) if truth else 1.0
    both = precision + recall
    return {
        "found": len(found),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / both, 4) if both else 0.0,
    }


def _examples(labelled: Labelled, pairs: Pairs, which: set[tuple[int, int]]) -> list[dict[str, Any]]:
    """Return what went wrong by kind, the commonest first, with examples."""
    level = {
        (min(a, b), max(a, b)): (int(rank), float(score))
        for a, b, rank, score in zip(
            pairs.a.tolist(), pairs.b.tolist(), pairs.level, pairs.score, strict=True
        )
    }
    kinds: dict[str, list[str]] = {}
    frame = labelled.frame
    for a, b in sorted(which):
        rank, score = level.get((a, b), (0, 0.0))
        one, two = frame.iloc[a], frame.iloc[b]
        far = np.hypot((one["lon"] - two["lon"]) * 93_400, (one["lat"] - two["lat"]) * 111_000)
        kind = two["noise"] or one["noise"] or _kind(labelled.signs, a, b)
        text = (
            f"{one['name']} | {two['name']} | {far:.0f} m | {one['phone']} | {two['phone']} | "
            f"{one['address']} | {two['address']} | level {rank} {score:.1f}"
        )
        kinds.setdefault(kind, []).append(text)
    ranked = sorted(kinds.items(), key=lambda item: -len(item[1]))
    return [{"kind": kind, "count": len(texts), "examples": texts[:3]} for kind, texts in ranked[:12]]


def _kind(signs: Signs, a: int, b: int) -> str:
    """Say what a pair has in common, where the list does not say what was done to it."""
    common = [
        name
        for name in ("full", "core", "stem", "sound")
        if getattr(signs, name)[a] == getattr(signs, name)[b] != 0
    ]
    phone = set(signs.phones[a].tolist()) & set(signs.phones[b].tolist()) - {0}
    return f"same {common[0] if common else 'no part of the name'}{', same phone' if phone else ''}"


# --- speed ------------------------------------------------------------------------------------------------


def speed(rows: int) -> dict[str, float]:
    """Measure so many new rows against as many stored, half of them the same."""
    made = pd.concat([twins.made(30_000, seed).drop(columns="noise") for seed in (1, 2)], ignore_index=True)
    new, stored = _tiled(made.iloc[::2], rows), _tiled(made.iloc[1::2], rows)
    start, wall = time.process_time(), time.perf_counter()
    one, two = (_signs(each, np.zeros(rows, dtype=int), None) for each in (new, stored))
    ready = time.process_time()
    before = _peak_mb()
    pairs = doubles.between(one, two)
    done = time.process_time()
    return {
        "rows": rows,
        "signs_s": round(ready - start, 1),
        "pairs_s": round(done - ready, 1),
        "wall_s": round(time.perf_counter() - wall, 1),
        "us_a_row": round((done - start) / rows * 1e6, 1),
        "pairs": len(pairs),
        "peak_mb": round(_peak_mb()),
        "peak_over_arrays_mb": round(_peak_mb() - before),
    }


def _tiled(made: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return a region of towns side by side, each with words of its own in the names."""
    frame = made.rename(columns={"商户名称": "name", "联系电话": "phone", "详细地址": "address"}).reset_index(
        drop=True
    )
    parts = []
    for turn in range(-(-rows // len(frame))):
        part = frame.copy()
        part["lon"] += 0.09 * (turn % 8)
        part["lat"] += 0.07 * (turn // 8)
        shift = dict(zip(map(ord, twins.OWN_CHARS), np.roll(list(twins.OWN_CHARS), turn * 7), strict=True))
        part["name"] = [name.translate(shift) for name in part["name"]]
        part["phone"] = [
            phone[:3] + f"{turn:02d}" + phone[5:] if len(phone) > 8 else phone for phone in part["phone"]
        ]
        parts.append(part)
    return pd.concat(parts, ignore_index=True).iloc[:rows]


def _peak_mb() -> float:
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return float(line.split()[1]) / 1024


def _speed_words(found: dict[str, float]) -> str:
    return report.table(tuple(found), [list(found.values())])


# --- saying -----------------------------------------------------------------------------------------------


def _targets(found: dict[str, dict[str, Any]]) -> list[Target]:
    names = {level: name for name, level in LEVELS.items()}
    return [
        Target(
            f"{what}, {names[level]}, the worst list",
            min(each["levels"][names[level]][what] for each in found.values()),
            bound,
            at_least=True,
            unit="",
        )
        for what, level, bound in BOUNDS
    ]


def _print(found: dict[str, dict[str, Any]], targets: list[Target]) -> None:
    lines = [
        (name, each["rows"], each["labelled"], level, *figures.values())
        for name, each in found.items()
        for level, figures in each["levels"].items()
    ]
    print(report.table(("list", "rows", "pairs", "level", "found", "precision", "recall", "F1"), lines))
    for name, each in found.items():
        print(f"\n{name}: same_as names {each['label']}; {each['seconds']} s")
        for what in ("missed", "wrong"):
            total = Counter({one["kind"]: one["count"] for one in each[what]}).total()
            print(f"  {what}: {total}")
            for one in each[what][:SHOWN]:
                print(f"    {one['count']} x {one['kind']}")
                for example in one["examples"]:
                    print(f"        {example}")
    print()
    print(report.targets_table(targets))


def _write(frame: pd.DataFrame, path: Path) -> None:
    if path.suffix.lower() == ".xlsx":
        frame.to_excel(path, index=False)
    else:
        frame.to_csv(path, index=False, encoding="utf-8-sig")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--pairs", metavar="FILE", help="a labelled list to score")
    parser.add_argument("--make", metavar="FILE", help="write a labelled list, .csv or .xlsx")
    parser.add_argument("--rows", type=int, default=6000, help="rows of each list made")
    parser.add_argument("--seed", type=int, default=1, help="of the first list made")
    parser.add_argument("--seeds", type=int, default=3, help="how many lists are made")
    parser.add_argument("--speed", type=int, metavar="ROWS", help="so many new against as many stored")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""How a zone stands beside the others: ranked by what it lacks, and compared with the branch and its kind."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.zones.coverage import Report
from geo.coverage import Figure

# Of these less is better; of all other shares more.
LESS_IS_BETTER = ("visit_never", "visit_overdue", "rival_nearer", "void_gap")
# Sums that stand for the size of a zone, not for how well it is worked: compared by the mean of the zones.
SIZES = (
    "customers", "merchants", "rivals", "deposits", "households", "workload_h", "pieces", "area_km2",
    "polsby_popper", "balance",
)  # fmt: skip


def ranked(report: Report, figure: str) -> pd.DataFrame:
    """
    Return the zones by how far they fall short of the branch in a share, the largest gap first.

    Parameters
    ----------
    report, figure
        Of a plan; a figure that is a share.

    Returns
    -------
    ranked
        Indexed by zone: `value`, `numerator`, `denominator`; `gap`, how far the share is worse than the
        branch's (negative: better); `short`, how many it would take to stand as the branch does, 0 where it
        does already: what zones are ranked by. Last, those whose share is unknown or hidden.
    """
    found = report.of(figure)
    whole = report.total[figure].value
    sign = -1.0 if figure in LESS_IS_BETTER else 1.0
    found["gap"] = sign * ((np.nan if whole is None else whole) - found["value"])
    found["short"] = (found["gap"] * found["denominator"]).clip(lower=0.0)
    return found.sort_values(["short", "gap"], ascending=False, na_position="last", kind="stable")


def compared(report: Report, zone_id: int) -> pd.DataFrame:
    """
    Return a zone's figures beside the branch's, and those of zones of the same kind.

    Returns
    -------
    compared
        Indexed by figure: `zone`, `branch`, `kind` (values; of shares the kind's zones together, of sizes
        their mean, as the branch's is the mean of all zones), NaN where unknown or hidden.
    """
    kind = report.plan.zone(zone_id).kind
    alike = [zone.id for zone in report.plan.zones if zone.kind == kind]
    rows = {}
    for figure in report.hidden.columns:
        zones = report.of(figure)
        own = float(zones["value"].loc[zone_id])
        if figure in SIZES:
            rows[figure] = (own, zones["value"].mean(), zones.loc[alike, "value"].mean())
        else:
            rows[figure] = (own, _value(report.total[figure]), _together(zones.loc[alike]))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["zone", "branch", "kind"], dtype=np.float64)


def kind_size(report: Report, zone_id: int) -> int:
    """Return how many zones are of a zone's kind, itself among them."""
    kind = report.plan.zone(zone_id).kind
    return sum(zone.kind == kind for zone in report.plan.zones)


def _together(zones: pd.DataFrame) -> float:
    """Return the share of zones together, those left out whose counts are unknown or hidden."""
    known = zones.dropna(subset=["numerator", "denominator"])
    whole = float(known["denominator"].sum())
    return float(known["numerator"].sum()) / whole if whole else float("nan")


def _value(figure: Figure) -> float:
    return float("nan") if figure.value is None else figure.value

"""Why a row is not taken, and what is noticed of rows that are: codes, and their words for people."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from geo.errors import N_

(
    OK,
    RAGGED,
    NO_COORDINATES,
    NOT_A_NUMBER,
    IMPOSSIBLE,
    SWAPPED,
    METRES,
    FOREIGN,
    REPEATED_ID,
    LONG_ID,
    TOO_LARGE,
) = range(11)
REASONS: dict[str, str] = {
    "ragged": N_("The row has {found} cells, the header {expected}."),
    "no_coordinates": N_("The row has no coordinates."),
    "not_a_number": N_("“{value}” is not a coordinate."),
    "impossible": N_("“{value}” is no longitude or latitude in degrees."),
    "swapped": N_("“{value}”: longitude and latitude look exchanged."),
    "metres": N_("“{value}” looks like projected metres, not degrees."),
    "foreign": N_("“{value}” lies outside China."),
    "repeated_id": N_("The identifier is used by an earlier row of the list."),
    "long_id": N_("The identifier is longer than {limit} characters."),
    "too_large": N_("The shape is a whole district, not one merchant."),
}
CODES = ("", *REASONS)
VISIT_REASONS: dict[str, str] = {
    "no_day": N_("The row has no date."),
    "not_a_day": N_("“{value}” is not a date."),
    "day_to_come": N_("“{value}” lies in the future: a visit is recorded once it was made."),
    "nobody": N_("The row names no merchant and no customer."),
    "two": N_("The row names a merchant and a customer: it has to be one of the two."),
    "unknown_merchant": N_("The branch has no merchant “{value}”."),
    "several_merchants": N_("The branch has several merchants “{value}”: give the identifier."),
    "unknown_customer": N_("The branch has no customer with this identifier."),
}
ZONE_REASONS: dict[str, str] = {
    "no_zone": N_("The row names no zone."),
    "no_outline": N_("The row has no outline, or one that cannot be read."),
    "bad_outline": N_("The outline cannot be a zone: {why}"),
    "bad_barrier": N_("This cannot be a barrier: {why}"),
    "covered": N_("Other blocks, smaller ones, have nearly all of its ground."),
    "no_block": N_("“{value}” is no block of the plan's size."),
    "out_of_circle": N_("The row lies outside the plan's circle."),
    "unknown_place": N_("The row has no coordinates, and the branch has no one place of this name."),
}
WARNINGS: dict[str, str] = {
    "unknown_category": N_("category not known: taken as “other”"),
    "unknown_status": N_("status not known: left as it was, or “known”"),
    "unknown_group": N_("customer group not known: taken as “other”"),
    "unknown_kind": N_("kind not known: the most general one taken"),
    "unknown_tier": N_("tier not known: worked out from the amounts, or left empty"),
    "unknown_product": N_("product not known: left out"),
    "not_an_amount": N_("not a number or an amount: left empty"),
    "unknown_phone": N_("no telephone number: kept as it was written"),
    "too_long": N_("text longer than can be kept: cut"),
    "ids_of_another_list": N_("identifiers already used by another list: not taken over"),
    "several_people": N_("several people named: the first one taken"),
    "not_a_next_day": N_("next date not understood, or before the visit: left empty"),
    "mended_outline": N_("outline mended"),
    "overlapping_block": N_("ground of two blocks: left with the smaller one"),
    "unnamed_zone": N_("no name of the zone: numbered"),
    "unknown_person": N_("person not known, or not alone of this name, at the branch: left out"),
    "many_people": N_("more than two people named: the first two taken"),
    "ids_repeat": N_("the column of identifiers repeats itself: not taken as identifiers"),
}


def rejects_table(rejects: pd.DataFrame, say: Callable[..., str]) -> pd.DataFrame:
    """Return rejected rows with the reason in words, for the screen or a file."""
    reasons = [
        say({**REASONS, **VISIT_REASONS, **ZONE_REASONS}[code], **params)
        for code, params in zip(rejects["reason"], rejects["params"], strict=True)
    ]
    return pd.DataFrame(
        {"row": rejects["row"], "column": rejects["column"], "reason": pd.Series(reasons, dtype="str")}
    )

"""Why two merchants should know of each other, in a sentence a branch head would say; no customer's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data.alliances.matrix import Matrix
from data.catalogue import CATEGORIES, GROUPS
from data.words import LANGUAGES, Language, say
from geo.errors import N_, Told
from geo.served import NO_GROUP

_CATEGORY = {each: dict(zip(CATEGORIES["id"], CATEGORIES[each], strict=True)) for each in LANGUAGES}
_GROUP = {each: GROUPS[each].tolist() for each in LANGUAGES}


def why(
    link: Mapping[str, Any], matrix: Matrix, language: Language, names: tuple[str, str] | None = None
) -> str:
    """
    Return why a link is suggested.

    Parameters
    ----------
    link
        A row of `data.alliances.suggesting.suggestions`.
    matrix
        Which trades go together.
    language
        Of the sentence.
    names
        What to call the two merchants; by their categories without.

    Returns
    -------
    why
        What the categories have in common, how far apart the two are, and what each gains; what is hidden
        from whoever asks (NaN) is left out.
    """
    reason = matrix.reason(int(link["category_a"]), int(link["category_b"]), language)
    a, b = names or (_CATEGORY[language][int(link[f"category_{side}"])] for side in ("a", "b"))
    phrases: list[str] = [reason] if reason else []
    phrases.append(say(N_("{metres} m apart"), language, metres=round(float(link["distance_m"]))))
    phrases += [say(_gain(link, side, name, language), language) for side, name in (("a", a), ("b", b))]
    return say(N_("{first}."), language, first=say(N_("; "), language).join(phrases))


def _gain(link: Mapping[str, Any], side: str, name: str, language: Language) -> Told:
    """Return what one side gains: how many, of whom most are of which group, and what share that is."""
    count, share = float(link[f"gain_{side}_n"]), float(link[f"gain_{side}"])
    if count != count:
        return Told(N_("{name} would reach more customers"), name=name)
    values: dict[str, object] = {"name": name, "count": f"{count:,.0f}"}
    bit = int(link[f"group_{side}"])
    group = "" if bit == NO_GROUP else _GROUP[language][bit]
    if share != share:
        if group:
            return Told(
                N_("{name} would reach {count} more customers, most of them: {group}"), **values, group=group
            )
        return Told(N_("{name} would reach {count} more customers"), **values)
    values["percent"] = f"{share * 100:.0f}"
    if group:
        return Told(
            N_("{name} would reach {count} more customers ({percent} % of its own), most of them: {group}"),
            **values,
            group=group,
        )
    return Told(N_("{name} would reach {count} more customers ({percent} % of its own)"), **values)

"""Tile links: what is signed is read back, and nothing else is."""

from __future__ import annotations

import dataclasses

import pytest

from data import tokens
from data.filters import Filters
from geo.errors import TokenError

CLAIM = tokens.TileClaim(
    branch_id=3,
    layer="merchants",
    version=12,
    datum="gcj02",
    masked=True,
    filters=Filters(categories=(1, 102), statuses=("signed",)),
    outside_m=1500.5,
)


def test_what_was_signed_is_read_back(settings):
    assert tokens.read(settings, tokens.sign(settings, CLAIM)) == CLAIM
    plain = tokens.TileClaim(1, "places", 1)
    assert tokens.read(settings, tokens.sign(settings, plain)) == plain


def test_a_link_holds_nothing_that_does_not_act_on_its_layer(settings):
    everything = Filters(categories=(1,), groups=(2,), tiers=("gold",))
    token = tokens.sign(settings, dataclasses.replace(CLAIM, filters=everything, layer="customers"))
    assert tokens.read(settings, token).filters == Filters(groups=(2,), tiers=("gold",))


def test_a_link_is_short_and_fits_an_address(settings):
    token = tokens.sign(settings, CLAIM)
    assert len(token) < 160
    assert all(letter.isalnum() or letter in "-_." for letter in token)


@pytest.mark.parametrize("broken", ["", "x", "a.b.c", "é" * 50])
def test_a_link_not_made_here_is_refused(settings, broken):
    with pytest.raises(TokenError, match="not made here"):
        tokens.read(settings, broken)


def test_a_changed_letter_is_noticed(settings):
    token = tokens.sign(settings, CLAIM)
    for at in range(0, len(token), 7):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(TokenError):
            tokens.read(settings, changed)


def test_another_installation_s_link_is_refused(settings):
    foreign = dataclasses.replace(settings, secret=b"another installation's key")
    with pytest.raises(TokenError):
        tokens.read(settings, tokens.sign(foreign, CLAIM))


def test_a_link_expires(settings):
    token = tokens.sign(settings, CLAIM)
    with pytest.raises(TokenError, match="expired"):
        tokens.read(settings, token, lifetime_s=-1)

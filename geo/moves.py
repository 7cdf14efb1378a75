"""
Moves of blocks between zones, in machine code: annealing that never breaks a zone.

A zone's blocks hang in a ring (`after`, `before`), so that a move costs what its two zones hold and no
more. `reach` of a block is the sum of distances from it to the blocks of its zone, each times its mass: the
block with the least of a zone is its centre, and that least is the zone's dispersion.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.compiled import compiled, inner

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEAR = 64  # blocks a zone up to which two moves are tried at once
EVERY = 200  # moves tried between two looks at whether the plan keeps its limits
STEEPER = 1.04
CHAINS = 0.5  # of trials between near zones, moves of two blocks at once


class Ground(NamedTuple):
    """What does not change: blocks, who touches whom, and what zones may weigh."""

    x: Floats
    y: Floats
    mass: Floats
    weights: Floats  # block, measure
    starts: Ints
    neighbours: Ints
    owners: Ints  # the block in whose list an entry of `neighbours` stands
    border: Floats  # what a border between zones costs, per entry of `neighbours`
    movable: Bools
    home: Ints
    away: Floats  # what a block costs outside the zone it came from
    lower: Floats  # zone, measure
    upper: Floats
    ideal: Floats  # 0 where a measure is nothing everywhere


class State(NamedTuple):
    """A plan while it is worked on."""

    zone: Ints
    after: Ints
    before: Ints
    head: Ints
    size: Ints
    reach: Floats
    centre: Ints
    dispersion: Floats
    load: Floats
    excess: Floats
    totals: Floats  # border and away costs
    mark: Ints
    queue: Ints
    random: NDArray[np.uint64]


def new_state(ground: Ground, zone: Ints, zones: int, seed: int) -> State:
    """Return a plan with all that follows from it worked out."""
    n = zone.size
    state = State(
        zone=zone.copy(),
        after=np.full(n, -1),
        before=np.full(n, -1),
        head=np.full(zones, -1),
        size=np.zeros(zones, np.int64),
        reach=np.zeros(n),
        centre=np.full(zones, -1),
        dispersion=np.zeros(zones),
        load=np.zeros((zones, ground.weights.shape[1])),
        excess=np.zeros(zones),
        totals=np.zeros(2),
        mark=np.zeros(n + 1, np.int64),
        queue=np.empty(n, np.int64),
        random=np.array([(seed * 2654435761 + 88172645463325252) % 2**63 or 1], dtype=np.uint64),
    )
    _fill(ground, state)
    return state


# No arrays are made, summed or assigned whole from here on: what says how that can fail takes longer to
# compile than all the rest.


@compiled
def _fill(ground: Ground, state: State) -> None:
    zone = state.zone
    for block in range(zone.size):
        _hang(state, block, zone[block])
        for measure in range(ground.weights.shape[1]):
            state.load[zone[block], measure] += ground.weights[block, measure]
        for at in range(ground.starts[block], ground.starts[block + 1]):
            if zone[ground.neighbours[at]] > zone[block]:
                state.totals[0] += ground.border[at]
        if ground.home[block] >= 0 and zone[block] != ground.home[block]:
            state.totals[1] += ground.away[block]
    for block in range(zone.size):
        state.reach[block] = _reach(ground, state, block, zone[block])
    for each in range(state.size.size):
        _recentre(state, each)
        state.excess[each] = _excess(ground, state, each)


@inner
def _random(state: State) -> float:
    """Return the next random number in [0, 1): xorshift, the same on every machine."""
    number = state.random[0]
    number ^= number << np.uint64(13)
    number ^= number >> np.uint64(7)
    number ^= number << np.uint64(17)
    state.random[0] = number
    return float(number >> np.uint64(11)) / 9007199254740992.0


@inner
def _hang(state: State, block: int, zone: int) -> None:
    first = state.head[zone]
    state.after[block] = first
    state.before[block] = -1
    if first >= 0:
        state.before[first] = block
    state.head[zone] = block
    state.size[zone] += 1


@inner
def _unhang(state: State, block: int, zone: int) -> None:
    before, after = state.before[block], state.after[block]
    if before >= 0:
        state.after[before] = after
    else:
        state.head[zone] = after
    if after >= 0:
        state.before[after] = before
    state.size[zone] -= 1


@inner
def _apart(ground: Ground, a: int, b: int) -> float:
    dx, dy = ground.x[a] - ground.x[b], ground.y[a] - ground.y[b]
    return float(np.sqrt(dx * dx + dy * dy))


@inner
def _reach(ground: Ground, state: State, block: int, zone: int) -> float:
    total = 0.0
    each = state.head[zone]
    while each >= 0:
        total += ground.mass[each] * _apart(ground, block, each)
        each = state.after[each]
    return total


@inner
def _recentre(state: State, zone: int) -> None:
    """Find a zone's centre; of two equally good the one with the smaller number."""
    best, centre = np.inf, -1
    each = state.head[zone]
    while each >= 0:
        if state.reach[each] < best or (state.reach[each] == best and each < centre):
            best, centre = state.reach[each], each
        each = state.after[each]
    state.centre[zone] = centre
    state.dispersion[zone] = best if centre >= 0 else 0.0


@inner
def _excess_of(ground: Ground, zone: int, measure: int, load: float) -> float:
    """Return how far outside its limits a zone is, as a share of its ideal, what is far counting more."""
    ideal = ground.ideal[zone, measure]
    if ideal <= 0.0:
        return 0.0
    over = max(load - ground.upper[zone, measure], ground.lower[zone, measure] - load) / ideal
    return over * (1.0 + 4.0 * over) if over > 1e-12 else 0.0


@inner
def _excess(ground: Ground, state: State, zone: int) -> float:
    total = 0.0
    for measure in range(ground.weights.shape[1]):
        total += _excess_of(ground, zone, measure, state.load[zone, measure])
    return total


@inner
def _excess_after(ground: Ground, state: State, block: int, zone: int, sign: float) -> float:
    total = 0.0
    for measure in range(ground.weights.shape[1]):
        load = state.load[zone, measure] + sign * ground.weights[block, measure]
        total += _excess_of(ground, zone, measure, load)
    return total


@inner
def _border_change(ground: Ground, state: State, block: int, target: int) -> float:
    source, change = state.zone[block], 0.0
    for at in range(ground.starts[block], ground.starts[block + 1]):
        other = state.zone[ground.neighbours[at]]
        if other == source:
            change += ground.border[at]
        elif other == target:
            change -= ground.border[at]
    return change


@inner
def _away_change(ground: Ground, state: State, block: int, target: int) -> float:
    home = ground.home[block]
    if home < 0 or state.zone[block] == target:
        return 0.0
    if home == target:
        return -float(ground.away[block])
    return float(ground.away[block]) if home == state.zone[block] else 0.0


@inner
def _shift(ground: Ground, state: State, block: int, target: int) -> None:
    """Move a block, and bring all that follows up to date."""
    source = state.zone[block]
    state.totals[0] += _border_change(ground, state, block, target)
    state.totals[1] += _away_change(ground, state, block, target)
    _unhang(state, block, source)
    mass, reach = ground.mass[block], 0.0
    each = state.head[source]
    while each >= 0:
        state.reach[each] -= mass * _apart(ground, block, each)
        each = state.after[each]
    each = state.head[target]
    while each >= 0:
        apart = _apart(ground, block, each)
        state.reach[each] += mass * apart
        reach += ground.mass[each] * apart
        each = state.after[each]
    state.reach[block] = reach
    _hang(state, block, target)
    state.zone[block] = target
    for measure in range(ground.weights.shape[1]):
        state.load[source, measure] -= ground.weights[block, measure]
        state.load[target, measure] += ground.weights[block, measure]
    _recentre(state, source)
    _recentre(state, target)
    state.excess[source] = _excess(ground, state, source)
    state.excess[target] = _excess(ground, state, target)


@inner
def _may_leave(ground: Ground, state: State, block: int) -> bool:
    """Whether what a block leaves behind is still there and in one piece."""
    zone, mark, queue = state.zone[block], state.mark, state.queue
    if state.size[zone] < 2 or not ground.movable[block]:
        return False
    mark[-1] += 1
    stamp, wanted, first = mark[-1] * 2, 0, -1
    for at in range(ground.starts[block], ground.starts[block + 1]):
        other = ground.neighbours[at]
        if state.zone[other] == zone and mark[other] != stamp:
            mark[other] = stamp
            wanted += 1
            first = other
    if wanted == 0:
        return False
    if wanted == 1:
        return True
    mark[block] = stamp + 1
    mark[first] = stamp + 1
    wanted -= 1
    queue[0], done, filled = first, 0, 1
    while done < filled:
        each = queue[done]
        done += 1
        for at in range(ground.starts[each], ground.starts[each + 1]):
            other = ground.neighbours[at]
            if state.zone[other] != zone or mark[other] == stamp + 1:
                continue
            if mark[other] == stamp:
                wanted -= 1
                if wanted == 0:
                    return True
            mark[other] = stamp + 1
            queue[filled] = other
            filled += 1
    return False


@inner
def _touches(ground: Ground, state: State, block: int, zone: int) -> bool:
    for at in range(ground.starts[block], ground.starts[block + 1]):
        if state.zone[ground.neighbours[at]] == zone:
            return True
    return False


@inner
def _worth(state: State, first: int, second: int, third: int, price: float) -> float:
    """Return what three zones (the third may be one of the others, or none) and the totals cost."""
    worth = state.totals[0] + state.totals[1]
    worth += state.dispersion[first] + price * state.excess[first]
    worth += state.dispersion[second] + price * state.excess[second]
    if third >= 0 and third != first and third != second:
        worth += state.dispersion[third] + price * state.excess[third]
    return float(worth)


@inner
def _try_shift(ground: Ground, state: State, block: int, target: int, price: float, allowed: float) -> bool:
    """Move a block if that costs no more than is allowed."""
    source = state.zone[block]
    if state.size[source] + state.size[target] > 2 * NEAR and block != state.centre[source]:
        # Measured from the present centres, which is never less than it will be.
        change = ground.mass[block] * (
            _apart(ground, block, state.centre[target]) - _apart(ground, block, state.centre[source])
        )
        change += _border_change(ground, state, block, target) + _away_change(ground, state, block, target)
        change += price * (
            _excess_after(ground, state, block, source, -1.0)
            + _excess_after(ground, state, block, target, 1.0)
            - state.excess[source]
            - state.excess[target]
        )
        if change > allowed or not _may_leave(ground, state, block):
            return False
        _shift(ground, state, block, target)
        return True
    if not _may_leave(ground, state, block):
        return False
    before = _worth(state, source, target, -1, price)
    _shift(ground, state, block, target)
    if _worth(state, source, target, -1, price) - before <= allowed:
        return True
    _shift(ground, state, block, source)
    return False


@inner
def _pick_onward(ground: Ground, state: State, zone: int, but: int) -> tuple[int, int]:
    """Return a border block of a zone, at random, and the zone it may go on to; -1 where there is none."""
    picked, onward, seen = -1, -1, 0
    each = state.head[zone]
    while each >= 0:
        if each != but and ground.movable[each]:
            for at in range(ground.starts[each], ground.starts[each + 1]):
                other = state.zone[ground.neighbours[at]]
                if other == zone or ground.neighbours[at] == but:
                    continue
                seen += 1
                if _random(state) * seen < 1.0:
                    picked, onward = each, other
        each = state.after[each]
    return picked, onward


@inner
def _try_chain(ground: Ground, state: State, block: int, target: int, price: float, allowed: float) -> bool:
    """Move a block, and one of its new zone onward or back, if both together cost no more than allowed."""
    source = state.zone[block]
    if not _may_leave(ground, state, block):
        return False
    pushed, onward = _pick_onward(ground, state, target, block)
    if pushed < 0:
        return False
    before = _worth(state, source, target, onward, price)
    _shift(ground, state, block, target)
    if _touches(ground, state, pushed, onward) and _may_leave(ground, state, pushed):
        _shift(ground, state, pushed, onward)
        if _worth(state, source, target, onward, price) - before <= allowed:
            return True
        _shift(ground, state, pushed, target)
    _shift(ground, state, block, source)
    return False


@compiled
def anneal(
    ground: Ground,
    state: State,
    best: Ints,
    record: Floats,
    prices: Floats,
    trials: int,
    hot: float,
    cold: float,
    chains: float,
) -> None:
    """
    Try moves at a falling temperature, and keep the best plan met.

    Parameters
    ----------
    best, record
        The best plan, and its excess and worth: both are brought up to date.
    prices
        Of excess: now, least and most. It rises as long as limits are broken, and falls while they are kept.
    trials, hot, cold
        How many, and the temperatures at the first and the last.
    chains
        The share of trials that move two blocks at once.
    """
    price = prices[0]
    links = ground.neighbours.size
    cooling = (cold / hot) ** (1.0 / max(1, trials)) if hot > 0.0 else 1.0
    heat = hot
    for trial in range(trials):
        heat *= cooling
        if trial % EVERY == 0:
            price = price * STEEPER if _excess_of_all(state) > 1e-9 else price / STEEPER
            price = min(max(price, prices[1]), prices[2])
        link = int(_random(state) * links)
        block = ground.neighbours[link]
        target = state.zone[ground.owners[link]]
        if target == state.zone[block] or not ground.movable[block]:
            continue
        allowed = -heat * np.log(_random(state) + 1e-300)
        near = state.size[state.zone[block]] <= NEAR and state.size[target] <= NEAR
        if near and _random(state) < chains:
            moved = _try_chain(ground, state, block, target, price, allowed)
        else:
            moved = _try_shift(ground, state, block, target, price, allowed)
        if moved:
            remember(state, best, record)
    prices[0] = price


@compiled
def remember(state: State, best: Ints, record: Floats) -> None:
    """Keep the present plan if it is the best so far: less excess, or as little and worth more."""
    excess, worth = _excess_of_all(state), state.totals[0] + state.totals[1]
    if excess > record[0] + 1e-9:
        return
    for zone in range(state.size.size):
        worth += state.dispersion[zone]
    if excess < record[0] - 1e-9 or worth < record[1] * (1.0 - 1e-12):
        record[0], record[1] = excess, worth
        for block in range(best.size):
            best[block] = state.zone[block]


@inner
def _excess_of_all(state: State) -> float:
    total = 0.0
    for zone in range(state.size.size):
        total += state.excess[zone]
    return total

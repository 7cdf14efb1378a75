"""
The plan of an invented county town, from a seed: its river, streets, blocks, communities and villages.

Who lives and trades there is another matter (`townsfolk`): the same plan can be peopled in other ways.
Shapes are in metres round the town's centre; `Town.lonlat` gives WGS 84.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.ops import linemerge

from data.towns import invented
from geo.crs import local_metric

Floats = NDArray[np.float64]
CENTRE = (116.0, 33.0)  # where two round degrees cross, in fields: no town is here
ROAD_WIDTHS_M = {"main": 26.0, "street": 14.0, "lane": 7.0}
STREET_STEP_M = 225.0
MAIN_EVERY = 4  # streets from one main road to the next
HALF_EXTENT_M = (2500.0, 1950.0)
COUNTRY_M = 6500.0  # how far most country roads run
FAR_M = 17000.0  # how far one of them runs


@dataclass(frozen=True)
class Road:
    """A named road: `kind` is main, street, lane or bridge."""

    name: str
    kind: str
    line: LineString


@dataclass(frozen=True)
class Area:
    """A street block, village or green, of a kind; `place` is the index of the place it belongs to."""

    name: str
    kind: str
    shape: Polygon
    place: int = -1


@dataclass(frozen=True)
class Place:
    """A community, village, park or institution as the bank counts it."""

    name: str
    kind: str
    use: str
    shape: Polygon | MultiPolygon
    households: int = 0
    adults: int = 0
    employees: int = 0


@dataclass(frozen=True)
class Town:
    """The plan: everything that stands still."""

    size: float
    river: Polygon
    roads: list[Road]
    areas: list[Area]
    places: list[Place]
    market: tuple[float, float]
    branch: tuple[float, float]
    far: list[tuple[float, float]]  # spots on the long country road, for outliers

    def lonlat(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return WGS 84 positions of points in metres round the centre."""
        lon, lat = _to_degrees().transform(x, y)
        return np.asarray(lon), np.asarray(lat)

    def geographic(self, shape: shapely.Geometry) -> shapely.Geometry:
        """Return a shape in WGS 84."""
        return shapely.transform(shape, lambda xy: np.column_stack(self.lonlat(xy[:, 0], xy[:, 1])))


@dataclass
class _Plan:
    """What the steps of planning share: the grid, the bend put on it, and the river in it."""

    rng: np.random.Generator
    size: float
    us: Floats = field(init=False)
    vs: Floats = field(init=False)
    phases: Floats = field(init=False)
    river_v: float = field(init=False)
    river_width: float = field(init=False)
    industry_east: bool = field(init=False)

    def __post_init__(self) -> None:
        half_u, half_v = np.array(HALF_EXTENT_M) * self.size
        self.us, self.vs = _spacing(self.rng, half_u), _spacing(self.rng, half_v)
        self.phases = self.rng.uniform(0, 2 * np.pi, 8)
        below = self.vs[_mains(self.vs)]
        south = below[below < -200][-2:]  # the river runs midway between two main roads south of the centre
        self.river_v = float(south.mean())
        self.river_width = float(self.rng.uniform(75, 105))
        self.industry_east = bool(self.rng.integers(2))

    @property
    def half(self) -> tuple[float, float]:
        return HALF_EXTENT_M[0] * self.size, HALF_EXTENT_M[1] * self.size

    def bend(self, uv: Floats) -> Floats:
        """Turn the square grid into the one that grew."""
        u, v = uv[:, 0], uv[:, 1]
        p = self.phases
        x = u + 110 * np.sin(v / 1100 + p[0]) + 45 * np.sin(u / 800 + p[1]) + 25 * np.sin(v / 420 + p[2])
        y = v + 120 * np.sin(u / 1250 + p[3]) + 45 * np.sin(v / 700 + p[4]) + 25 * np.sin(u / 450 + p[5])
        turn = 0.14 * np.sin(p[6])
        return np.column_stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)])

    def bent(self, *corners: tuple[float, float]) -> LineString:
        """Return the line through the corners, bent with the grid."""
        straight = shapely.segmentize(LineString(corners), 45.0)
        return shapely.transform(straight, self.bend)

    def river_at(self, u: Floats) -> Floats:
        """Return the v of the river's middle."""
        p = self.phases
        return np.asarray(self.river_v + 120 * np.sin(u / 900 + p[7]) + 45 * np.sin(u / 380 + p[2]))

    def along_river(self, offset: float, reach: float) -> LineString:
        """Return the line beside the river's middle, `offset` metres to the north of it."""
        u = np.arange(-reach, reach, 40.0)
        return shapely.transform(LineString(np.column_stack([u, self.river_at(u) + offset])), self.bend)

    def inside(self, u: float, v: float) -> bool:
        """Whether the town reaches here."""
        half_u, half_v = self.half
        angle = np.arctan2(v, u)
        ragged = 1 + 0.07 * np.sin(3 * angle + self.phases[0]) + 0.06 * np.sin(5 * angle + self.phases[3])
        return bool((abs(u / half_u) ** 2.5 + abs(v / half_v) ** 2.5) < ragged)

    def industrial(self, u: float, v: float) -> bool:
        """Whether the industrial park is here, on one edge of the town."""
        half_u, half_v = self.half
        u = u if self.industry_east else -u
        return 0.58 * half_u < u and -0.15 * half_v < v < 0.62 * half_v

    def centrality(self, u: float, v: float) -> float:
        """1 in the old centre, falling to 0 at the edge."""
        half_u, half_v = self.half
        return float(max(0.0, 1 - np.hypot(u / half_u, v / half_v)))


@cache
def _to_degrees() -> Transformer:
    return Transformer.from_crs(local_metric(*CENTRE), "EPSG:4326", always_xy=True)


def plan_town(seed: int, size: float = 1.0) -> Town:
    """
    Return the plan of a town.

    Parameters
    ----------
    seed
        The same seed and size give the same town.
    size
        1 is a town of about five by four kilometres; streets stay as far apart in a larger one.

    Returns
    -------
    town
        Its plan.
    """
    plan = _Plan(np.random.default_rng([seed, 1]), size)
    river = plan.along_river(0, FAR_M + 3000).buffer(plan.river_width / 2, quad_segs=4)
    corridor = _between(plan, plan.river_width / 2 + 42)
    roads = _grid_roads(plan, corridor)
    roads += _riverside(plan) + _lanes(plan, roads, corridor)
    blocks = _blocks(roads, corridor)
    country, far = _country_roads(plan)
    roads = _with_bridges(roads + country, river)
    village_roads, villages = _villages(plan, country, river, blocks)
    market = _centre_of(plan, 0.10, 0.08)
    areas, places = _uses(plan, blocks, market)
    areas += _greens(plan, corridor, river)
    for index, shape in enumerate(villages):
        places.append(_village(plan, shape, index))
        areas.append(Area(places[-1].name, "village", shape, len(places) - 1))
    roads = _pedestrian(roads + village_roads, market)
    return Town(size, river, roads, areas, places, market, _branch_site(roads, market), far)


def _spacing(rng: np.random.Generator, half: float) -> Floats:
    """Return grid lines on both sides of 0 as far as a step past `half`, unevenly spaced."""
    count = int(np.ceil(half / STREET_STEP_M)) + 2
    gaps = rng.uniform(0.74, 1.26, 2 * count) * STREET_STEP_M
    lines = np.cumsum(gaps)
    return np.asarray(lines - lines[count])


def _mains(lines: Floats) -> NDArray[np.intp]:
    """Return which grid lines are main roads: every fourth, counted from the middle."""
    middle = int(np.argmin(np.abs(lines)))
    return np.flatnonzero((np.arange(len(lines)) - middle) % MAIN_EVERY == 0)


def _centre_of(plan: _Plan, u_share: float, v_share: float) -> tuple[float, float]:
    half_u, half_v = plan.half
    x, y = plan.bend(np.array([[u_share * half_u, v_share * half_v]]))[0]
    return float(x), float(y)


def _between(plan: _Plan, offset: float) -> Polygon:
    """Return the ground between the two riverside roads."""
    reach = plan.half[0] * 1.6
    north, south = plan.along_river(offset, reach), plan.along_river(-offset, reach)
    return Polygon([*north.coords, *reversed(south.coords)])


def _grid_roads(plan: _Plan, corridor: Polygon) -> list[Road]:
    """Return the grid's main roads and streets, crossing the river only where there is a bridge."""
    wide, dry = corridor.buffer(55), corridor.buffer(-2)
    shapely.prepare(wide)
    bridges = _bridge_lines(plan)
    main_u, main_v = set(_mains(plan.us).tolist()), set(_mains(plan.vs).tolist())
    road_names = invented.shuffled(invented.ROADS, plan.rng, len(plan.us) + len(plan.vs))
    roads = []
    for i, u in enumerate(plan.us):
        pieces = _kept(plan, [(u, v) for v in plan.vs], main=i in main_u)
        lines = [p if i in bridges else p.difference(dry) for p in pieces]
        roads += _named(road_names[i], "main" if i in main_u else "street", lines)
    for j, v in enumerate(plan.vs):
        pieces = _kept(plan, [(u, v) for u in plan.us], main=j in main_v)
        lines = [p for p in pieces if not p.intersects(wide)]
        roads += _named(road_names[len(plan.us) + j], "main" if j in main_v else "street", lines)
    return roads


def _bridge_lines(plan: _Plan) -> set[int]:
    """Return the two to four main roads across the river, those nearest the centre."""
    crossing = _mains(plan.us)
    nearest = crossing[np.argsort(np.abs(plan.us[crossing]))]
    return set(nearest[: int(plan.rng.integers(2, 5))].tolist())


def _kept(plan: _Plan, crossings: list[tuple[float, float]], main: bool) -> list[LineString]:
    """Return the pieces of a grid line, crossing to crossing, which the town has."""
    pieces = []
    for (u0, v0), (u1, v1) in zip(crossings, crossings[1:], strict=False):
        u, v = (u0 + u1) / 2, (v0 + v1) / 2
        missing = 0.45 if plan.industrial(u, v) else 0.16 * (1 - plan.centrality(u, v))
        if plan.inside(u, v) and (main or plan.rng.random() > missing):
            pieces.append(plan.bent((u0, v0), (u1, v1)))
    return pieces


def _named(name: str, kind: str, pieces: Iterable[shapely.Geometry]) -> list[Road]:
    """Return pieces of one road joined where they touch."""
    parts = [p for p in shapely.get_parts(list(pieces)) if p.geom_type == "LineString" and p.length > 15]
    if not parts:
        return []
    joined = linemerge(parts) if len(parts) > 1 else parts[0]
    return [Road(name, kind, line) for line in shapely.get_parts(joined)]


def _riverside(plan: _Plan) -> list[Road]:
    """Return the two roads along the river as far as the town goes."""
    offset, reach = plan.river_width / 2 + 42, plan.half[0] * 0.84
    return [
        Road("滨河北路", "street", plan.along_river(offset, reach)),
        Road("滨河南路", "street", plan.along_river(-offset, reach)),
    ]


def _lanes(plan: _Plan, roads: list[Road], corridor: Polygon) -> list[Road]:
    """Return lanes that halve the cells of the grid, more of them in the old centre."""
    streets = shapely.union_all([road.line for road in roads]).buffer(3)
    wide = corridor.buffer(45)
    shapely.prepare([streets, wide])
    lanes = []
    for i, (u0, u1) in enumerate(zip(plan.us, plan.us[1:], strict=False)):
        for j, (v0, v1) in enumerate(zip(plan.vs, plan.vs[1:], strict=False)):
            u, v = (
                u0 + (u1 - u0) * plan.rng.uniform(0.35, 0.65),
                v0 + (v1 - v0) * plan.rng.uniform(0.35, 0.65),
            )
            chance = 0.10 + 1.1 * plan.centrality(u, v)
            wanted = plan.rng.random(2) < chance * np.array([0.75, 0.6])
            if plan.industrial(u, v) or not plan.inside(u, v):
                continue
            ways = [((u, v0 - 1.5), (u, v1 + 1.5)), ((u0 - 1.5, v), (u1 + 1.5, v))]
            for way, built in zip(ways, wanted, strict=True):
                line = plan.bent(*way)
                ends = shapely.points([line.coords[0], line.coords[-1]])
                if built and streets.intersects(ends).all() and not line.intersects(wide):
                    lanes.append(Road(_lane_name(i, j, way is ways[0]), "lane", line))
    return lanes


def _lane_name(i: int, j: int, north_south: bool) -> str:
    word = invented.LANE_WORDS[(i * 5 + j * 3) % len(invented.LANE_WORDS)]
    return word + ("巷" if north_south else "胡同")


def _blocks(roads: list[Road], corridor: Polygon) -> list[Polygon]:
    """Return the faces between the roads, each shrunk by the roads' width."""
    network = shapely.union_all([road.line for road in roads])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(network)))
    dry = faces[~shapely.contains(corridor, shapely.point_on_surface(faces))]
    lines = np.array([road.line for road in roads], dtype=object)
    widths = np.array([ROAD_WIDTHS_M[road.kind] / 2 for road in roads])
    ground = shapely.union_all(shapely.buffer(lines, widths, cap_style="flat", quad_segs=2))
    parts = shapely.get_parts(shapely.difference(shapely.union_all(dry), ground))
    parts = shapely.get_parts(shapely.buffer(shapely.buffer(parts, -2, quad_segs=2), 2, quad_segs=2))
    wide = (shapely.area(parts) > 1800) & (shapely.area(shapely.buffer(parts, -12, quad_segs=1)) > 200)
    return list(shapely.simplify(parts[wide], 0.5))


def _country_roads(plan: _Plan) -> tuple[list[Road], list[tuple[float, float]]]:
    """Return roads from the town's edge into the country, and spots far out on the longest one."""
    half_u, half_v = plan.half
    vs = plan.vs[_mains(plan.vs)]
    rows = [v for v in vs[np.argsort(np.abs(vs))] if v > plan.river_v + 200][:2]
    out = COUNTRY_M * 0.62
    arms = []
    for side in (-1.0, 1.0):
        # Away from the river each road bends outwards as it goes; none comes nearer to the river.
        arms += [[(side * half_u * 0.8, v), (side * (half_u + out), v + max(v, 0) * 2)] for v in rows]
        for i in _bridge_lines_nearest(plan):
            u = plan.us[i]
            arms.append(
                [(u, side * half_v * 0.8), (u, side * half_v * 1.15), (u * 3.2, side * (half_v + out))]
            )
    end = np.array(arms[0][-1])
    arms[0].append((-half_u - FAR_M, float(end[1])))
    labels = invented.shuffled(invented.COUNTRY_ROADS, plan.rng, len(arms))
    roads = [Road(name, "main", plan.bent(*arm)) for name, arm in zip(labels, arms, strict=True)]
    far = [roads[0].line.interpolate(share, normalized=True) for share in (0.55, 0.72, 0.97)]
    return roads, [(p.x, p.y) for p in far]


def _bridge_lines_nearest(plan: _Plan) -> list[int]:
    crossing = _mains(plan.us)
    return [int(i) for i in crossing[np.argsort(np.abs(plan.us[crossing]))][:2]]


def _with_bridges(roads: list[Road], river: Polygon) -> list[Road]:
    """Return the roads with what lies over the river named a bridge."""
    water = river.buffer(6)
    shapely.prepare(water)
    split = []
    for road in roads:
        if not water.intersects(road.line):
            split.append(road)
            continue
        over = road.line.intersection(water)
        split += _named(road.name, road.kind, [road.line.difference(water)])
        split += [Road(f"{road.name}大桥", "bridge", part) for part in shapely.get_parts(over)]
    return split


def _villages(
    plan: _Plan, country: list[Road], river: Polygon, blocks: list[Polygon]
) -> tuple[list[Road], list[Polygon]]:
    """Return villages a little way off the country roads, with their lanes."""
    taken = shapely.union_all([shapely.convex_hull(shapely.union_all(blocks)).buffer(150), river.buffer(70)])
    count = round(14 * plan.size**1.3)
    roads: list[Road] = []
    villages: list[Polygon] = []
    for attempt in range(count * 12):
        road = country[attempt % len(country)]
        stop = road.line.interpolate(min(road.line.length, COUNTRY_M) * plan.rng.uniform(0.2, 0.97))
        centre = _beside(road.line, stop, plan.rng.uniform(160, 420) * plan.rng.choice([-1, 1]))
        shape = _blob(plan.rng, centre, plan.rng.uniform(140, 250))
        if not shape.buffer(120).intersects(taken):
            roads += _village_lanes(plan.rng, shape, stop, centre)
            villages.append(shape)
            taken = taken.union(shape)
        if len(villages) == count:
            break
    return roads, villages


def _beside(line: LineString, spot: Point, offset: float) -> Point:
    """Return the point `offset` metres to the left of the line at a spot on it."""
    ahead = line.interpolate(min(line.project(spot) + 20, line.length - 1e-3))
    step = np.array([ahead.x - spot.x, ahead.y - spot.y])
    step /= np.hypot(*step) or 1.0
    return Point(spot.x - step[1] * offset, spot.y + step[0] * offset)


def _blob(rng: np.random.Generator, centre: Point, radius: float) -> Polygon:
    """Return a rounded, uneven patch."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    a, b, c = rng.uniform(0, 2 * np.pi, 3)
    r = radius * (
        1 + 0.18 * np.sin(2 * angle + a) + 0.10 * np.sin(3 * angle + b) + 0.05 * np.sin(7 * angle + c)
    )
    return Polygon(np.column_stack([centre.x + r * np.cos(angle), centre.y + r * np.sin(angle)]))


def _village_lanes(rng: np.random.Generator, shape: Polygon, stop: Point, centre: Point) -> list[Road]:
    """Return the village street, from the country road to the far side, and lanes across it."""
    along = np.array([centre.x - stop.x, centre.y - stop.y])
    along /= np.hypot(*along)
    across = np.array([-along[1], along[0]])
    middle = np.array([centre.x, centre.y])
    far = LineString([middle, middle + along * 600]).intersection(shape).length
    roads = [Road("村中街", "street", LineString([(stop.x, stop.y), middle + along * (far - 15)]))]
    for k in (-1.5, -0.5, 0.5, 1.5):
        start = middle + along * (k * 75 + rng.uniform(-12, 12))
        lane = LineString([start - across * 500, start + across * 500]).intersection(shape.buffer(-18))
        roads += [Road("村巷", "lane", part) for part in shapely.get_parts(lane) if part.length > 80]
    return roads


def _uses(plan: _Plan, blocks: list[Polygon], market: tuple[float, float]) -> tuple[list[Area], list[Place]]:
    """Say what each block is for, and gather the blocks into places."""
    uses, special = _special(plan, blocks, market)
    cells: dict[tuple[int, int], list[int]] = {}
    for i, use in enumerate(uses):
        if use == "residential":
            spot = blocks[i].centroid
            cells.setdefault((int(spot.x // 560), int(spot.y // 500)), []).append(i)
    places: list[Place] = []
    owner = np.full(len(blocks), -1)
    for kind, name, members in special:
        owner[members] = len(places)
        places.append(_institution(plan.rng, name, kind, [blocks[i] for i in members]))
    for name, members in zip(invented.estates(plan.rng, len(cells)), cells.values(), strict=True):
        owner[members] = len(places)
        places.append(_community(plan, name, [blocks[i] for i in members]))
    areas = [
        Area(places[owner[i]].name if owner[i] >= 0 else "", uses[i], block, int(owner[i]))
        for i, block in enumerate(blocks)
    ]
    return areas, places


def _special(
    plan: _Plan, blocks: list[Polygon], market: tuple[float, float]
) -> tuple[list[str], list[tuple[str, str, list[int]]]]:
    """Pick the blocks that are not for living in: market, park, schools, offices, hospital, station."""
    middles = np.array([(b.centroid.x, b.centroid.y) for b in blocks])
    uses = ["residential"] * len(blocks)
    found: list[tuple[str, str, list[int]]] = []

    def take(use: str, name: str, members: Iterable[int]) -> None:
        chosen = [int(i) for i in members if uses[int(i)] == "residential"]
        for i in chosen:
            uses[i] = use
        if chosen:
            found.append((use, name, chosen))

    by_market = np.argsort(np.hypot(*(middles - market).T))
    take("market", "中心市场", by_market[: 5 + int(2 * plan.size)])
    park = shapely.contains_xy(_industrial_shape(plan), middles)
    take("park_industrial", plan.rng.choice(invented.PARKS), np.flatnonzero(park))
    areas = np.array([b.area for b in blocks])
    take("office", "演示县政务中心", _near(plan, middles, areas, (-0.22, 0.30), 18000))
    take("hospital", "演示县人民医院", _near(plan, middles, areas, (0.30, -0.12), 15000))
    take("station", "演示县汽车站", _near(plan, middles, areas, (-0.62, 0.05), 12000))
    spots = [(-0.30, -0.10), (0.18, 0.42), (-0.45, 0.52), (0.42, 0.25), (-0.05, 0.68), (0.1, -0.75)]
    for name, spot in zip(invented.SCHOOLS[: 3 + int(plan.size > 1.5) * 3], spots, strict=False):
        take("school", name, _near(plan, middles, areas, spot, 16000))
    for name, spot in zip(invented.GREENS[1:], [(0.02, 0.26), (-0.55, 0.30), (0.3, 0.6)], strict=True):
        take("green", name, _near(plan, middles, areas, spot, 20000))
    return uses, found


def _near(
    plan: _Plan, middles: Floats, areas: Floats, spot: tuple[float, float], area_m2: float
) -> list[int]:
    """Return the block of about the area nearest a spot given in half extents."""
    cost = np.hypot(*(middles - _centre_of(plan, *spot)).T) + 250 * np.abs(np.log(areas / area_m2))
    return [int(np.argmin(cost))]


def _industrial_shape(plan: _Plan) -> Polygon:
    half_u, half_v = plan.half
    side = 1 if plan.industry_east else -1
    corners = [(0.6, -0.13), (1.3, -0.13), (1.3, 0.6), (0.6, 0.6), (0.6, -0.13)]
    ring = plan.bent(*[(side * u * half_u, v * half_v) for u, v in corners])
    return Polygon(ring)


def _institution(rng: np.random.Generator, name: str, use: str, blocks: list[Polygon]) -> Place:
    kind = {"park_industrial": "park", "green": "green", "market": "market"}.get(use, "institution")
    shape = _gathered(blocks)
    per_hectare = {"park_industrial": 70, "office": 230, "hospital": 280, "station": 60, "school": 70}.get(
        use, 0
    )
    return Place(
        name, kind, use, shape, employees=int(per_hectare * shape.area / 1e4 * rng.uniform(0.8, 1.2))
    )


def _community(plan: _Plan, name: str, blocks: list[Polygon]) -> Place:
    shape = _gathered(blocks)
    homes = int(sum(b.area for b in blocks) / 1e4 * plan.rng.uniform(38, 95))
    return Place(name, "community", "residential", shape, homes, int(homes * plan.rng.uniform(2.0, 2.5)))


def _village(plan: _Plan, shape: Polygon, index: int) -> Place:
    homes = int(shape.area / 1e4 * plan.rng.uniform(14, 24))
    turn, which = divmod(index, len(invented.VILLAGES))
    name = invented.VILLAGES[which] + (f"{turn + 1}" if turn else "")
    return Place(name, "village", "village", shape, homes, int(homes * plan.rng.uniform(2.3, 2.9)))


def _gathered(blocks: list[Polygon]) -> Polygon | MultiPolygon:
    """Return blocks and the lanes between them as one shape."""
    return shapely.simplify(
        shapely.union_all([b.buffer(8, join_style="mitre") for b in blocks]).buffer(-8), 1.0
    )


def _greens(plan: _Plan, corridor: Polygon, river: Polygon) -> list[Area]:
    """Return the green banks of the river."""
    reach = plan.half[0] * 0.84
    town = shapely.box(-reach, -4 * plan.half[1], reach, 4 * plan.half[1])
    banks = corridor.buffer(-9).difference(river).intersection(town)
    return [Area(invented.GREENS[0], "green", part) for part in shapely.get_parts(banks) if part.area > 2000]


def _pedestrian(roads: list[Road], market: tuple[float, float]) -> list[Road]:
    """Rename the lane nearest the market: the pedestrian street."""
    middle = Point(market)
    lanes = [i for i, r in enumerate(roads) if r.kind == "lane"]
    nearest = sorted(lanes, key=lambda i: roads[i].line.distance(middle))[:2]
    renamed = {i: Road("步行街", "lane", roads[i].line) for i in nearest}
    return [renamed.get(i, road) for i, road in enumerate(roads)]


def _branch_site(roads: list[Road], market: tuple[float, float]) -> tuple[float, float]:
    """Return a spot on the main road nearest the market, a few steps off its kerb."""
    main = min((r for r in roads if r.kind == "main"), key=lambda r: r.line.distance(Point(market)))
    spot = main.line.interpolate(main.line.project(Point(market)))
    site = _beside(main.line, spot, ROAD_WIDTHS_M["main"] / 2 + 10)
    return site.x, site.y

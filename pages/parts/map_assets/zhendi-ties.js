/*
 * Hulls round groups of merchants and arcs between two, over the base map and under every point.
 * Fetched by zhendi-map.js when a state has either; only what differs from the state before is drawn anew.
 * A click on one goes on to the map; its label, shown under the mouse, is text.
 */
(function () {
  "use strict";

  const { element, onMap, outline, pill, quiet, mark } = zhendi.kit;
  const EDGE = "#33424d";
  const BRAND = "#0f5c4a";
  const CHOSEN = "#d35400";
  const BOW = 0.14; // of an arc's length: how far its middle stands out
  const END = { radius: 3.5, color: "#ffffff", weight: 1, fill: true, fillOpacity: 1 };
  const STEPS = 20; // an arc is drawn in so many straight lines

  function prepare(own) {
    if (own.hulls) return;
    // Within the tiles' own pane: the base map is at 1 there, the layers of points from 10 on.
    const pane = own.map.createPane("ties", own.map.getPane("tilePane"));
    pane.style.zIndex = 5;
    own.tiePaper = L.svg({ pane: "ties", padding: 0.4 });
    own.hulls = new Map();
    own.arcs = new Map();
  }

  /* A label is an element with text in it: Leaflet takes a string for HTML. */
  function named(layer, label) {
    if (label) layer.bindTooltip(() => element("span", "", label), { sticky: true, className: "zhendi-tip" });
    return layer;
  }

  const touched = (own) => ({ ...quiet, interactive: true, pane: "ties", renderer: own.tiePaper });

  /* ---------- hulls ---------- */

  function drawHull(own, hull) {
    const shape = L.polygon(outline(hull.shape), {
      ...touched(own),
      className: "zhendi-hull",
      lineJoin: "round",
      color: hull.strong ? CHOSEN : hull.fill || EDGE,
      weight: hull.strong ? 3.5 : 1.8,
      opacity: 0.9,
      fill: true, // without a colour too, or nothing but its edge would be under the mouse
      fillColor: hull.fill || EDGE,
      fillOpacity: hull.fill ? (hull.strong ? 0.3 : 0.2) : 0.01,
    });
    const layers = [named(shape, hull.label)];
    if (hull.strong && hull.label) layers.push(pill(onMap(hull.at), hull.label, "zone chosen"));
    return layers;
  }

  /* ---------- arcs ---------- */

  /* A bow of second degree that stands out to the north, or to the west where it runs north. */
  function bow(a, b) {
    const [from, to] = [onMap(a), onMap(b)];
    const wide = Math.cos((from.lat * Math.PI) / 180);
    const east = (to.lng - from.lng) * wide;
    const north = to.lat - from.lat;
    const side = east > 0 || (east === 0 && north > 0) ? 1 : -1;
    const middle = {
      lng: (from.lng + to.lng) / 2 - (2 * BOW * side * north) / wide,
      lat: (from.lat + to.lat) / 2 + 2 * BOW * side * east,
    };
    const line = [];
    for (let i = 0; i <= STEPS; i += 1) {
      const t = i / STEPS;
      const [p, q, r] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
      line.push(L.latLng(p * from.lat + q * middle.lat + r * to.lat, p * from.lng + q * middle.lng + r * to.lng));
    }
    return line;
  }

  function drawArc(own, arc) {
    const line = bow(arc.a, arc.b);
    const under = { ...quiet, pane: "ties", renderer: own.tiePaper, lineCap: "round" };
    const casing = { ...under, color: "#ffffff", weight: arc.strong ? 8 : 4, opacity: arc.faint ? 0.3 : 0.75 };
    const layers = [L.polyline(line, casing)];
    const shown = L.polyline(line, {
      ...touched(own),
      className: "zhendi-arc",
      lineCap: "round",
      color: arc.strong ? CHOSEN : BRAND,
      weight: arc.strong ? 4.5 : 1.8,
      opacity: arc.faint ? 0.3 : arc.strong ? 1 : 0.75,
      dashArray: arc.dashed ? (arc.strong ? "11 7" : "5 6") : null,
    });
    layers.push(named(shown, arc.label));
    for (const end of [arc.a, arc.b])
      layers.push(L.circleMarker(onMap(end), { ...under, ...END, fillColor: arc.strong ? CHOSEN : BRAND }));
    return layers;
  }

  /* ---------- from one state to the next ---------- */

  function syncOf(own, kept, wanted, drawn) {
    const left = new Set(kept.keys());
    for (const each of wanted) {
      left.delete(each.id);
      const key = JSON.stringify(each);
      const before = kept.get(each.id);
      if (before && before.key === key) continue;
      if (before) before.layers.forEach((layer) => layer.remove());
      const layers = drawn(own, each);
      layers.forEach((layer) => layer.addTo(own.map));
      kept.set(each.id, { key, each, layers });
    }
    for (const id of left) {
      kept.get(id).layers.forEach((layer) => layer.remove());
      kept.delete(id);
    }
  }

  /* Hulls lie lowest, then arcs; what is looked at lies over the rest of its kind. */
  function order(own) {
    const lift = ({ layers }) => layers.forEach((layer) => layer.bringToFront && layer.bringToFront());
    for (const kept of [own.hulls, own.arcs])
      for (const strong of [false, true])
        [...kept.values()].filter(({ each }) => Boolean(each.strong) === strong).forEach(lift);
  }

  function syncTies(own, state) {
    const [hulls, arcs] = [state.hulls || [], state.arcs || []];
    if (!own.hulls && !hulls.length && !arcs.length) return;
    prepare(own);
    const key = JSON.stringify([hulls, arcs]);
    if (key === own.tiesKey) return;
    own.tiesKey = key;
    syncOf(own, own.hulls, hulls, drawHull);
    syncOf(own, own.arcs, arcs, drawArc);
    order(own);
    mark("ties", { stamp: state.stamp });
  }

  zhendi.parts.push(syncTies);
})();

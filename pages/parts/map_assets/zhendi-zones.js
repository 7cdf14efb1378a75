/*
 * Zones and barriers on the map: outlines in the base map's datum, and labels that never lie on each other.
 * Fetched by zhendi-map.js when a state has zones; only what differs from the state before is drawn anew.
 */
(function () {
  "use strict";

  const { INK, FONT, pill, quiet, mark } = zhendi.kit;
  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const PACKED_STEPS = 200000; // of a degree
  const EDGE = "#33424d";
  const CHOSEN = "#d35400";
  const LABEL_PX = 20; // a label's height …
  const ROOM_PX = 26; // … what surrounds its text …
  const SQUEEZE = 1.3; // … and how far it may stand out of its zone
  const HATCH = "zhendi-hatch";

  /* Five bits a letter, the low ones first; each number is a step, its sign in the lowest bit. */
  function unpacked(text) {
    const line = [];
    const at = [0, 0];
    let value = 0;
    let bits = 0;
    let turn = 0;
    for (const letter of text) {
      const part = LETTERS.indexOf(letter);
      value += (part & 31) * 2 ** bits;
      bits += 5;
      if (part & 32) continue;
      at[turn] += value % 2 ? -(value + 1) / 2 : value / 2;
      if (turn) line.push(L.latLng(at[1] / PACKED_STEPS, at[0] / PACKED_STEPS));
      value = bits = 0;
      turn = 1 - turn;
    }
    return line;
  }

  const outline = (shape) => shape.split("!").map((part) => part.split(".").map(unpacked));
  zhendi.kit.outline = outline;

  /* ---------- zones ---------- */

  function prepare(own) {
    if (own.zones) return;
    const pane = own.map.createPane("zones");
    pane.style.zIndex = 405; // over the circle, under every sign and label
    pane.style.pointerEvents = "none";
    own.zones = new Map();
    own.zonePaper = L.svg({ pane: "zones", padding: 0.4 });
    own.barriers = L.layerGroup().addTo(own.map);
    own.map.on("moveend resize", () => placeZoneLabels(own));
  }

  function look(zone) {
    if (!zone.id) return { color: CHOSEN, weight: 2.5, dashArray: "6 5", fillColor: CHOSEN, fillOpacity: 0.12 };
    return {
      color: zone.selected ? CHOSEN : EDGE,
      weight: zone.selected ? 3.5 : zone.locked ? 2.4 : 1.6,
      opacity: zone.faded && !zone.selected ? 0.35 : 0.9,
      fill: Boolean(zone.fill),
      fillColor: zone.fill,
      fillOpacity: zone.faded ? 0.1 : zone.shaded ? 0.7 : 0.34,
    };
  }

  function drawZone(own, zone) {
    const latlngs = outline(zone.shape);
    const base = { ...quiet, pane: "zones", renderer: own.zonePaper, lineJoin: "round" };
    const layers = [];
    if (zone.selected) layers.push(L.polygon(latlngs, { ...base, fill: false, color: "#ffffff", weight: 7, opacity: 0.9 }));
    layers.push(L.polygon(latlngs, { ...base, ...look(zone), className: `zhendi-zone zhendi-zone-${zone.id}` }));
    if (zone.hatch) {
      layers.push(L.polygon(latlngs, { ...base, stroke: false, fillColor: `url(#${HATCH})`, fillOpacity: 1 }));
    }
    layers.forEach((layer) => layer.addTo(own.map));
    if (zone.hatch) hatching(own);
    return layers;
  }

  /* The pattern of zones struck through, kept in the drawing's own definitions. */
  function hatching(own) {
    const paper = own.zonePaper._container;
    if (!paper || paper.querySelector(`#${HATCH}`)) return;
    const make = (tag, set) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(set)) made.setAttribute(name, value);
      return made;
    };
    const pattern = make("pattern", {
      id: HATCH, width: 9, height: 9, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)",
    });
    pattern.append(make("line", { x1: 0, y1: 0, x2: 0, y2: 9, stroke: INK, "stroke-width": 2.4, "stroke-opacity": 0.5 }));
    const defs = make("defs", {});
    defs.append(pattern);
    paper.prepend(defs);
  }

  function syncZones(own, state) {
    const wanted = state.zones || [];
    if (!own.zones && !wanted.length && !state.barriers) return;
    prepare(own);
    const left = new Set(own.zones.keys());
    for (const zone of wanted) {
      left.delete(zone.id);
      const key = JSON.stringify(zone);
      const kept = own.zones.get(zone.id);
      if (kept && kept.key === key) continue;
      if (kept) kept.layers.forEach((layer) => layer.remove());
      if (kept && kept.label) kept.label.remove();
      own.zones.set(zone.id, { key, zone, layers: drawZone(own, zone), label: null });
    }
    for (const id of left) {
      const gone = own.zones.get(id);
      gone.layers.forEach((layer) => layer.remove());
      if (gone.label) gone.label.remove();
      own.zones.delete(id);
    }
    for (const { zone, layers } of own.zones.values())
      if (zone.selected || !zone.id) layers.forEach((layer) => layer.bringToFront());
    syncBarriers(own, state.barriers || []);
    placeZoneLabels(own);
    if (wanted.length) mark("zones", { stamp: state.stamp });
  }

  function syncBarriers(own, barriers) {
    const key = JSON.stringify(barriers);
    if (key === own.barriersKey) return;
    own.barriersKey = key;
    own.barriers.clearLayers();
    for (const line of barriers) {
      const corners = unpacked(line);
      const base = { ...quiet, pane: "zones", renderer: own.zonePaper, lineCap: "butt" };
      own.barriers.addLayer(L.polyline(corners, { ...base, color: "#ffffff", weight: 5, opacity: 0.8 }));
      own.barriers.addLayer(
        L.polyline(corners, { ...base, color: "#8e2c6a", weight: 3, dashArray: "9 6", className: "zhendi-barrier" })
      );
    }
  }

  /* ---------- labels ---------- */

  const ruler = document.createElement("canvas").getContext("2d");

  function wide(text) {
    ruler.font = `600 12px ${FONT}`;
    return Math.min(200, ruler.measureText(text).width) + ROOM_PX;
  }

  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

  /* What labels must keep off: those of the branch and its rings. */
  function kept(own) {
    const frame = own.map.getContainer().getBoundingClientRect();
    return [...own.map.getPanes().markerPane.querySelectorAll(".zhendi-pill:not(.zone) span, .zhendi-branch")]
      .map((element) => element.getBoundingClientRect())
      .filter((box) => box.width)
      .map((box) => ({
        left: box.left - frame.left, right: box.right - frame.left, top: box.top - frame.top, bottom: box.bottom - frame.top,
      }));
  }

  /* The chosen zone's label first, then the largest; one that would lie on another, or over its zone, waits. */
  function placeZoneLabels(own) {
    if (!own.zones || !own.zones.size) return;
    const { x, y } = own.map.getSize();
    const taken = kept(own);
    const named = [...own.zones.values()].filter(({ zone }) => zone.label);
    for (const each of named) {
      const bounds = each.layers[0].getBounds();
      const from = own.map.latLngToContainerPoint(bounds.getNorthWest());
      each.room = own.map.latLngToContainerPoint(bounds.getSouthEast()).subtract(from);
      each.wide = each.wide || wide(each.zone.label);
    }
    named.sort((a, b) => (b.zone.selected || 0) - (a.zone.selected || 0) || b.room.x * b.room.y - a.room.x * a.room.y);
    for (const each of named) {
      const at = own.map.latLngToContainerPoint([each.zone.at[1], each.zone.at[0]]);
      const box = {
        left: at.x - each.wide / 2, right: at.x + each.wide / 2, top: at.y - LABEL_PX / 2, bottom: at.y + LABEL_PX / 2,
      };
      const fits = each.zone.selected || (each.room.x * SQUEEZE > each.wide && each.room.y > LABEL_PX);
      const inSight = box.right > 0 && box.left < x && box.bottom > 0 && box.top < y;
      show(own, each, fits && inSight && !taken.some((other) => meet(box, other)) && taken.push(box) > 0);
    }
  }

  function show(own, each, isShown) {
    if (!isShown) {
      if (each.label) each.label.remove();
      each.label = null;
    } else if (!each.label) {
      const kind = ["zone", each.zone.selected && "chosen", each.zone.locked && "locked", each.zone.faded && "faded"];
      each.label = pill([each.zone.at[1], each.zone.at[0]], each.zone.label, kind.filter(Boolean).join(" ")).addTo(own.map);
    }
  }

  zhendi.parts.push(syncZones);
})();

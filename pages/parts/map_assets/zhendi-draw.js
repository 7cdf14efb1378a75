/*
 * The tools of the map. leaflet-draw draws outlines and lines, started here and not from a toolbar of its own;
 * the brush and the handles of an edited zone are ours. What was drawn goes to the page one piece at a time, and
 * stays on the map, dashed, until the page has answered it.
 */
(function () {
  "use strict";

  const { element, onMap, quiet, mark } = zhendi.kit;
  const INK = "#d35400"; // tells from every fill also to those who see few colours: it is drawn dashed besides
  const EQUATOR_M = 40075016.686;
  const STROKE_PX = 3; // the brush leaves a corner so often
  const ANSWER_MS = 15000; // a page that has not answered by then never will
  const FEWEST = 3; // corners of a ring
  const HANDLE_PX = 20;
  const APART_PX = 18; // handles stand so far from each other: closer ones show when the map is nearer
  const LINE = { color: INK, weight: 2.5, opacity: 0.95, fill: false, dashArray: "6 5", interactive: false };
  const AREA = { ...LINE, fill: true, fillColor: INK, fillOpacity: 0.14 };

  const birth = Date.now().toString(36);
  let drawn = 0;

  const spot = ({ lat, lng }) => [Number(lng.toFixed(7)), Number(lat.toFixed(7))];
  const metresAPixel = (map, lat) => (EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / 2 ** (map.getZoom() + 8);
  const widthPx = (own, lat) => Math.max(2, own.tool.width / metresAPixel(own.map, lat));

  /* ---------- to the page and back ---------- */

  /* Send a drawing, or let it wait for its turn: the page answers one after another. */
  function send(own, parts, ghost, more) {
    drawn += 1;
    const { kind, zone, width } = own.tool;
    const drawing = { number: `${birth}-${drawn}`, tool: kind, zone, width, radius: 0, parts, ...more };
    own.queue.push({ drawing, ghost: ghost.addTo(own.ghosts) });
    mark("drawn", { number: drawing.number });
    next(own);
  }

  function next(own) {
    if (own.waiting || !own.queue.length) return;
    own.waiting = own.queue.shift();
    own.sent = own.waiting.drawing;
    own.tell();
    clearTimeout(own.overdue);
    own.overdue = setTimeout(() => answered(own, own.sent && own.sent.number), ANSWER_MS);
  }

  function answered(own, number) {
    if (!own.waiting || own.waiting.drawing.number !== number) return;
    mark("answered", { number });
    own.ghosts.removeLayer(own.waiting.ghost);
    own.waiting = own.sent = null;
    clearTimeout(own.overdue);
    next(own);
  }

  /* ---------- the tool in hand ---------- */

  function prepare(own) {
    if (own.ghosts) return;
    Object.assign(own, { ghosts: L.layerGroup().addTo(own.map), queue: [], waiting: null, toolKey: "null" });
    own.bar = element("div", "zhendi-bar");
    own.bar.hidden = true;
    L.DomEvent.disableClickPropagation(own.bar);
    own.map.getContainer().appendChild(own.bar);
    if (L.Map.TouchExtend && !own.map.touchExtend) {
      own.map.touchExtend = new L.Map.TouchExtend(own.map); // leaflet-draw adds it to maps made after it
      own.map.touchExtend.enable();
    }
    own.map.on("draw:created", (event) => created(own, event));
    own.map.on("draw:drawstop", () => stopped(own));
    own.map.on("draw:drawvertex", () => showBar(own));
    own.map.on("zoomend", () => own.hand && own.hand.zoomed && own.hand.zoomed());
    document.addEventListener("keydown", (event) => event.key === "Escape" && own.hand && own.hand.cancel());
  }

  function syncTool(own, state) {
    if (!own.ghosts && !state.tool) return;
    prepare(own);
    answered(own, state.answered);
    const key = JSON.stringify([state.tool || null, state.language]);
    if (key !== own.toolKey) {
      own.toolKey = key;
      disarm(own);
      own.tool = state.tool || null;
      if (own.tool) speak(state.tool_words);
    }
    if (own.tool && !own.hand && !(own.waiting && own.tool.kind !== "brush")) arm(own);
  }

  function arm(own) {
    const { kind } = own.tool;
    own.map.getContainer().classList.add("zhendi-tool");
    own.map.getContainer().style.cursor = "";
    own.map.doubleClickZoom.disable();
    own.hand = kind === "brush" ? brush(own) : kind === "edit" ? handles(own) : outlines(own, kind);
    showBar(own);
  }

  function disarm(own) {
    const hand = own.hand;
    own.hand = null;
    if (hand) hand.stop();
    own.tool = null;
    own.map.getContainer().classList.remove("zhendi-tool");
    own.map.doubleClickZoom.enable();
    showBar(own);
  }

  /* Take the same tool up again: what was begun is gone. */
  function again(own) {
    if (!own.tool) return;
    const hand = own.hand;
    own.hand = null;
    if (hand) hand.stop();
    if (!own.waiting) arm(own);
    else showBar(own);
  }

  /* ---------- what leaflet-draw draws ---------- */

  function speak(words) {
    const { handlers } = L.drawLocal.draw;
    Object.assign(handlers.circle, { tooltip: { start: words.drag_circle }, radius: words.radius });
    handlers.rectangle.tooltip = { start: words.drag_rectangle };
    handlers.simpleshape.tooltip = { end: words.let_go };
    handlers.polygon.tooltip = { start: words.start_outline, cont: words.next_point, end: words.close_outline };
    handlers.polyline.tooltip = { start: words.start_line, cont: words.next_point, end: words.end_line };
  }

  function outlines(own, kind) {
    const strip = kind === "street";
    const style = { ...(kind === "split" ? LINE : AREA), ...(strip ? stripStyle(own, own.map.getCenter().lat) : {}) };
    const Made = { polygon: L.Draw.Polygon, rectangle: L.Draw.Rectangle, circle: L.Draw.Circle }[kind] || L.Draw.Polyline;
    const handler = new Made(own.map, { shapeOptions: style, showArea: false, feet: false, metric: true, showLength: true });
    const rubber = strip ? rubberBand(own, handler) : null;
    quietly(own, () => handler.enable());
    const corners = () => (handler._markers ? handler._markers.length : 0);
    return {
      finish: handler.completeShape && (() => handler.completeShape()),
      back: handler.deleteLastVertex && (() => handler.deleteLastVertex()),
      corners,
      fewest: kind === "polygon" ? FEWEST : 2,
      cancel: () => again(own),
      zoomed: () => strip && handler._poly && handler._poly.setStyle(stripStyle(own, own.map.getCenter().lat)),
      stop() {
        if (rubber) rubber();
        handler.disable();
      },
    };
  }

  /* leaflet-draw takes the focus when a tool is chosen; whoever chose it with the keyboard keeps it. */
  function quietly(own, work) {
    const container = own.map.getContainer();
    container.focus = () => {};
    try {
      work();
    } finally {
      delete container.focus;
    }
  }

  const stripStyle = (own, lat) => ({
    ...LINE, weight: widthPx(own, lat), opacity: 0.4, dashArray: null, lineCap: "butt", lineJoin: "round",
  });

  /* The strip from the last point to the mouse. */
  function rubberBand(own, handler) {
    const band = L.polyline([], { ...quiet, ...stripStyle(own, own.map.getCenter().lat), opacity: 0.25 }).addTo(own.map);
    const follow = (event) => {
      const last = handler._markers && handler._markers[handler._markers.length - 1];
      band.setStyle({ weight: widthPx(own, event.latlng.lat) });
      band.setLatLngs(last ? [last.getLatLng(), event.latlng] : []);
    };
    own.map.on("mousemove", follow);
    return () => {
      own.map.off("mousemove", follow);
      band.remove();
    };
  }

  function created(own, { layer, layerType }) {
    if (!own.tool) return;
    if (layerType === "circle") {
      const radius = Number(layer.getRadius().toFixed(1));
      const ghost = L.circle(layer.getLatLng(), { ...quiet, ...AREA, radius });
      send(own, [[[spot(layer.getLatLng())]]], ghost, { radius });
    } else if (layer instanceof L.Polygon) {
      send(own, [layer.getLatLngs().map((ring) => ring.map(spot))], L.polygon(layer.getLatLngs(), { ...quiet, ...AREA }));
    } else {
      const line = layer.getLatLngs();
      const style = own.tool.kind === "street" ? stripStyle(own, line[0].lat) : LINE;
      send(own, [[line.map(spot)]], L.polyline(line, { ...quiet, ...style }));
    }
  }

  /* leaflet-draw lets go of its tool when it is done, and at Escape. */
  function stopped(own) {
    if (own.hand && own.tool) setTimeout(() => own.hand && again(own));
  }

  /* ---------- the brush ---------- */

  function brush(own) {
    const { map } = own;
    const container = map.getContainer();
    const style = (lat) => ({ ...quiet, color: INK, weight: widthPx(own, lat), opacity: 0.35, lineCap: "round", lineJoin: "round" });
    const tip = L.circleMarker(map.getCenter(), { ...quiet, ...LINE, dashArray: null, weight: 1.5, radius: 1, opacity: 0 });
    tip.addTo(map);
    let stroke = null; // corners, the line that shows them, the pointer that draws

    const press = (event) => {
      if (stroke && event.pointerId !== stroke.pointer) return lift(); // a second finger: it was no stroke
      if (event.button || !event.isPrimary || event.target.closest(".leaflet-control, .zhendi-bar")) return undefined;
      const at = map.mouseEventToLatLng(event);
      stroke = { line: [at], pointer: event.pointerId, trail: L.polyline([at, at], style(at.lat)).addTo(map), last: event };
      container.setPointerCapture(event.pointerId);
      return undefined;
    };
    const move = (event) => {
      const at = map.mouseEventToLatLng(event);
      tip.setLatLng(at).setRadius(widthPx(own, at.lat) / 2).setStyle({ opacity: 0.8 });
      if (!stroke || event.pointerId !== stroke.pointer) return;
      if (Math.hypot(event.clientX - stroke.last.clientX, event.clientY - stroke.last.clientY) < STROKE_PX) return;
      stroke.last = event;
      stroke.line.push(at);
      stroke.trail.addLatLng(at);
    };
    const letGo = (event) => {
      if (!stroke || event.pointerId !== stroke.pointer) return;
      const { line, trail } = stroke;
      stroke = null;
      trail.remove();
      send(own, [[line.map(spot)]], trail);
    };
    const lift = () => {
      if (stroke) stroke.trail.remove();
      stroke = null;
    };
    const leave = () => tip.setStyle({ opacity: 0 });
    const selectNothing = (event) => event.target.closest(".leaflet-control, .zhendi-bar") || event.preventDefault();
    const heard = {
      mousedown: selectNothing, pointerdown: press, pointermove: move, pointerup: letGo, pointercancel: lift, pointerleave: leave };
    for (const [name, act] of Object.entries(heard)) container.addEventListener(name, act);
    map.dragging.disable();
    map.boxZoom.disable();
    container.classList.add("zhendi-brushing");
    return {
      cancel: lift,
      stop() {
        lift();
        tip.remove();
        for (const [name, act] of Object.entries(heard)) container.removeEventListener(name, act);
        map.dragging.enable();
        map.boxZoom.enable();
        container.classList.remove("zhendi-brushing");
      },
    };
  }

  /* ---------- the handles of a zone ---------- */

  function handles(own) {
    const { map } = own;
    const parts = (own.tool.parts || []).map((part) => part.map((ring) => ring.map(onMap)));
    const held = L.layerGroup().addTo(map);
    const shape = L.polygon(parts, { ...quiet, ...AREA, dashArray: null, weight: 2 }).addTo(map);
    const redraw = () => shape.setLatLngs(parts);
    const middle = (a, b) => map.unproject(map.project(a).add(map.project(b)).divideBy(2));
    let lines = [];
    let moved = false; // a corner, since the handles were taken up

    const handle = (at, kind) => {
      const icon = L.divIcon({ className: `zhendi-handle ${kind}`, iconSize: [HANDLE_PX, HANDLE_PX] });
      return L.marker(at, { icon, draggable: true, keyboard: false, zIndexOffset: kind ? 1500 : 2000 }).addTo(held);
    };

    /* The corners that have room for a handle; of a small ring every one. */
    function roomy(ring) {
      if (ring.length <= FEWEST + 1) return ring.map(() => true);
      let last = null;
      return ring.map((corner) => {
        const at = map.latLngToLayerPoint(corner);
        const fits = !last || at.distanceTo(last) >= APART_PX;
        if (fits) last = at;
        return fits;
      });
    }

    /* One ring's handles, and pale ones between them that become corners when they are dragged. */
    function show(ring) {
      const layers = [];
      const fits = roomy(ring);
      ring.forEach((corner, i) => {
        if (!fits[i]) return;
        const grip = handle(corner, "");
        grip.on("drag", () => {
          ring[i] = grip.getLatLng();
          redraw();
        });
        grip.on("dragend", () => changed(ring));
        grip.on("click", () => {
          if (ring.length <= FEWEST) return;
          ring.splice(i, 1);
          changed(ring);
        });
        layers.push(grip);
        const next = ring[(i + 1) % ring.length];
        const side = map.latLngToLayerPoint(corner).distanceTo(map.latLngToLayerPoint(next));
        if (side < 2 * APART_PX) return;
        const pale = handle(middle(corner, next), "between");
        pale.on("dragstart", () => ring.splice(i + 1, 0, pale.getLatLng()));
        pale.on("drag", () => {
          ring[i + 1] = pale.getLatLng();
          redraw();
        });
        pale.on("dragend", () => changed(ring));
        layers.push(pale);
      });
      lines.push({ ring, layers });
    }

    function changed(ring) {
      moved = true;
      renew(ring);
    }

    function renew(ring) {
      const old = lines.find((each) => each.ring === ring);
      lines = lines.filter((each) => each !== old);
      old.layers.forEach((layer) => held.removeLayer(layer));
      show(ring);
      redraw();
    }

    const give = () => {
      moved = false;
      send(own, parts.map((part) => part.map((ring) => ring.map(spot))), L.polygon(parts, { ...quiet, ...AREA }));
    };
    const finish = () => {
      if (!parts.length) return;
      give();
      again(own);
    };
    parts.forEach((part) => part.forEach(show));
    map.on("dblclick", finish);
    return {
      finish,
      corners: () => (parts.length ? FEWEST : 0),
      fewest: FEWEST,
      cancel() {
        moved = false;
        again(own);
      },
      zoomed: () => [...lines].forEach(({ ring }) => renew(ring)),
      stop() {
        if (moved) give(); // another tool was taken: what was moved is not lost
        map.off("dblclick", finish);
        held.remove();
        shape.remove();
      },
    };
  }

  /* ---------- the bar of buttons ---------- */

  function showBar(own) {
    const { hand, tool } = own;
    const words = own.state.tool_words || {};
    const edits = tool && tool.kind === "edit";
    own.bar.hidden = !hand || !(edits || tool.kind === "brush" || (hand.finish && hand.corners()));
    if (own.bar.hidden) return;
    const parts = [];
    const button = (text, act, kind, isOff) => {
      const made = element("button", kind, text);
      made.type = "button";
      made.disabled = Boolean(isOff);
      made.addEventListener("click", act);
      parts.push(made);
    };
    if (tool.kind === "brush") parts.push(element("span", "", words.brush));
    if (edits) parts.push(element("span", "", hand.corners() ? words.edit : words.edit_nothing));
    if (hand.finish) button(words.finish, hand.finish, "main", hand.corners() < hand.fewest);
    if (hand.back) button(words.last_point, hand.back, "", hand.corners() < 2);
    if (hand.finish && hand.corners()) button(words.cancel, hand.cancel, "");
    own.bar.replaceChildren(...parts);
  }

  zhendi.parts.push(syncTool);
})();

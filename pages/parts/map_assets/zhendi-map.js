/*
 * The map in the browser. The page never sends markers: it sends one small state, and `zhendi.sync` changes
 * what is different. Points come from vector tiles, drawn on canvas; a click goes back as a coordinate.
 *
 * Every coordinate in a state is already in the base map's datum. Every word in it is text, never HTML.
 */
(function () {
  "use strict";

  const INK = "#1d2b27";
  const BRAND = "#0f5c4a";
  const RIVAL = "#c0392b";
  const PAPER = "#f4f2ec";
  const SILENT_MS = 8000; // of a base map, before it counts as out of reach
  const FONT = '"Noto Sans SC","Microsoft YaHei","PingFang SC","WenQuanYi Micro Hei",sans-serif';
  const SMALL_RING_PX = 70;
  const EDGE_PX = 8; // labels keep so far from the map's edge
  const PILL_PX = 22; // a label's height
  const BESIDE_PX = 12; // a label reaches so far back over its point
  const DOT_PX = 5; // a point of a preview …
  const MANY_DOTS = 400; // … of which more than this are drawn smaller
  const CUT = 0; // of a zoom: the first look shows the whole circle
  const WIDE_PX = 900; // from here on the legend stands open
  const SHADED_PX = 500; // and from here on where it says what a shade is worth
  const PHONE_PX = 640; // a window narrower than this is a phone's
  const PHONE_HEIGHT_PX = 430;
  const MIN_ZOOM = 3;
  const MAX_ZOOM = 20;
  const MAX_DATA_ZOOM = 18; // deeper zooms draw the same tiles larger
  const SWAP_MS = 5000; // an old layer goes after this, whether or not the new one is complete
  const CELL_STEPS = 4; // a cell is a tile so many zooms deeper …
  const CUSTOMER_CELL = 18; // … but customers' cells are never smaller than this zoom's tiles
  const BUBBLE_PX = 15; // protomaps-leaflet cuts what reaches further over a tile's edge
  const DENSITY = ["#fbe8c3", "#f6d08a", "#eeb04f", "#d98a26", "#a9620f"];
  const DENSITY_FROM = [0, 5, 20, 100, 500]; // customers in a cell
  const SHARE = ["#eda679", "#f3d3a6", "#dfe0b4", "#93c3a2", "#2f7d62"];
  const SHARE_FROM = [0, 0.2, 0.4, 0.6, 0.8];
  const PLACES = ["#6d4c9f", "#4d7c2a", "#b7791f", "#3d5a80"]; // community, village, park, institution
  const [KNOWN, CONTACTED, SIGNED, CLOSED] = [0, 1, 2, 3];
  const [BANK, ATM, INSURER] = [0, 1, 2];

  /* ---------- small things ---------- */

  const step = (value, from) => from.reduce((found, start, i) => (value >= start ? i : found), 0);
  const onMap = ([lon, lat]) => L.latLng(lat, lon);
  /* A line comes as its start and its steps, in millionths of a degree. */
  function unpacked(steps) {
    const line = [];
    for (let i = 0, lon = 0, lat = 0; i < steps.length; i += 2) {
      lon += steps[i];
      lat += steps[i + 1];
      line.push(L.latLng(lat / 1e6, lon / 1e6));
    }
    return line;
  }

  const mark = (name, detail) => performance.mark(`zhendi:${name}`, { detail });

  function element(tag, name, text) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function short(count) {
    if (count < 1000) return String(count);
    if (count < 10000) return `${(count / 1000).toFixed(1)}k`;
    return count < 1e6 ? `${Math.round(count / 1000)}k` : `${(count / 1e6).toFixed(1)}m`;
  }

  function shade(colour, alpha) {
    const value = parseInt(colour.slice(1), 16);
    return `rgba(${value >> 16},${(value >> 8) & 255},${value & 255},${alpha})`;
  }

  /* ---------- what each layer looks like ---------- */

  const dotRadius = (zoom) => (zoom < 13 ? 2.4 : zoom < 15 ? 3.1 : zoom < 16 ? 3.8 : zoom < 17 ? 4.6 : zoom < 18 ? 5.6 : 6.6);

  function dot(ctx, at, radius) {
    ctx.beginPath();
    ctx.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  }

  function merchantDot(ctx, at, zoom, colour, status) {
    const radius = dotRadius(zoom);
    ctx.globalAlpha = 1;
    dot(ctx, at, status === CLOSED ? radius * 0.75 : radius);
    ctx.fillStyle = status === SIGNED ? colour : status === CLOSED ? "#d7d9dc" : "#ffffff";
    ctx.fill();
    if (status === CONTACTED) {
      ctx.fillStyle = shade(colour, 0.42);
      ctx.fill();
    }
    ctx.lineWidth = status === SIGNED ? 1 : 1.5;
    ctx.strokeStyle = status === SIGNED ? "#ffffff" : status === CLOSED ? "#9aa1a9" : colour;
    ctx.stroke();
  }

  function merchantBubble(ctx, at, count, signed) {
    const radius = Math.min(BUBBLE_PX - 1, Math.max(7.5, 4 + 3.4 * Math.log10(count)));
    ctx.globalAlpha = 1;
    dot(ctx, at, radius);
    ctx.fillStyle = "rgba(255,255,255,0.88)";
    ctx.fill();
    ctx.lineWidth = 2;
    ctx.strokeStyle = "#c6d0cb";
    dot(ctx, at, radius - 1);
    ctx.stroke();
    ctx.beginPath(); // the signed share, clockwise from the top
    ctx.arc(at.x, at.y, radius - 1, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, signed / count));
    ctx.strokeStyle = BRAND;
    ctx.stroke();
    ctx.fillStyle = INK;
    ctx.font = `600 ${radius > 11 ? 10 : radius > 8.5 ? 9 : 8}px ${FONT}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(short(count), at.x, at.y + 0.5);
  }

  function customerSquare(ctx, ring, cell, metric) {
    const [a, , c] = ring;
    const colour =
      metric === "coverage"
        ? SHARE[step(cell.existing / cell.people, SHARE_FROM)]
        : DENSITY[step(cell.people, DENSITY_FROM)];
    const gap = Math.min(1, (c.x - a.x) / 12);
    const side = c.x - a.x - 2 * gap;
    ctx.globalAlpha = side > 120 ? 0.22 : side > 60 ? 0.36 : 0.5;
    ctx.fillStyle = colour;
    ctx.beginPath();
    ctx.roundRect(a.x + gap, a.y + gap, side, side, Math.min(4, side / 5));
    ctx.fill();
  }

  function outletSquare(ctx, at, zoom, own, kind) {
    const half = (kind === ATM ? 3.6 : 5) + (zoom >= 16 ? 1.2 : 0);
    ctx.globalAlpha = 1;
    ctx.beginPath();
    if (kind === INSURER) {
      ctx.moveTo(at.x, at.y - half * 1.3);
      ctx.lineTo(at.x + half * 1.3, at.y);
      ctx.lineTo(at.x, at.y + half * 1.3);
      ctx.lineTo(at.x - half * 1.3, at.y);
      ctx.closePath();
    } else ctx.roundRect(at.x - half, at.y - half, 2 * half, 2 * half, 1.5);
    ctx.fillStyle = own ? BRAND : RIVAL;
    ctx.fill();
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = "#ffffff";
    ctx.stroke();
  }

  function placeRing(ctx, at, zoom, kind, people) {
    const far = zoom < 12 ? 0.4 : zoom < 14 ? 0.6 : zoom < 15 ? 0.8 : 1;
    const radius = far * Math.max(5, Math.min(13, 4 + Math.sqrt(people || 0) / 6));
    const colour = PLACES[kind] || INK;
    ctx.globalAlpha = 1;
    dot(ctx, at, radius);
    ctx.fillStyle = shade(colour, 0.14);
    ctx.fill();
    ctx.lineWidth = 2;
    ctx.strokeStyle = colour;
    ctx.stroke();
    dot(ctx, at, 1.6);
    ctx.fillStyle = colour;
    ctx.fill();
  }

  const rule = (dataLayer, draw) => ({ dataLayer, symbolizer: { draw } });

  const PAINT = {
    merchants: (look) => [
      rule("cells", (ctx, geom, zoom, f) => {
        const { n, signed, category, status } = f.props;
        if (n > 1) merchantBubble(ctx, geom[0][0], n, signed);
        else merchantDot(ctx, geom[0][0], zoom, look.colours[category] || "#6b7280", status); // sums of one
      }),
      rule("points", (ctx, geom, zoom, f) =>
        merchantDot(ctx, geom[0][0], zoom, look.colours[f.props.category] || "#6b7280", f.props.status || KNOWN)
      ),
    ],
    customers: (look) => [
      rule("cells", (ctx, geom, zoom, f) => customerSquare(ctx, geom[0], f.props, look.metric)),
    ],
    outlets: () => [
      rule("points", (ctx, geom, zoom, f) => outletSquare(ctx, geom[0][0], zoom, f.props.own, f.props.kind)),
      rule("cells", (ctx, geom, zoom) => outletSquare(ctx, geom[0][0], zoom, false, BANK)),
    ],
    places: () => [
      rule("points", (ctx, geom, zoom, f) => placeRing(ctx, geom[0][0], zoom, f.props.kind, f.props.people)),
      rule("cells", (ctx, geom, zoom, f) => placeRing(ctx, geom[0][0], zoom, -1, f.props.people)),
    ],
  };
  const ORDER = ["customers", "places", "merchants", "outlets"];

  /* A cell comes as its centre; it is drawn as the square it stands for. */
  function squareCells(layers, zoom, size) {
    for (const f of layers.get("cells") || []) {
      const half = (size * 2 ** (zoom - Math.min(zoom + CELL_STEPS, CUSTOMER_CELL))) / 2;
      const centre = f.geom[0][0];
      const corner = (x, y) => {
        const point = centre.clone();
        point.x += x * half;
        point.y += y * half;
        return point;
      };
      f.geom = [[corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)]];
      f.bbox = { minX: centre.x - half, minY: centre.y - half, maxX: centre.x + half, maxY: centre.y + half };
    }
    return layers;
  }

  function tileLayer(spec, look) {
    const layer = protomapsL.leafletLayer({
      url: spec.url,
      paintRules: PAINT[spec.name](look),
      labelRules: [],
      maxDataZoom: MAX_DATA_ZOOM,
      attribution: "",
      tileDelay: 0.001,
      keepBuffer: 1,
      updateWhenZooming: false,
      zIndex: 10 + ORDER.indexOf(spec.name),
    });
    if (spec.name === "customers") {
      const cache = layer.views.get("").tileCache;
      const plain = cache.source;
      cache.source = { get: (c, size) => plain.get(c, size).then((layers) => squareCells(layers, c.z, size)) };
    }
    return layer;
  }

  /* ---------- base maps ---------- */

  function streetPlan() {
    const { PolygonSymbolizer, LineSymbolizer, CenteredTextSymbolizer, LineLabelSymbolizer, linear } = protomapsL;
    const kind = (...kinds) => (zoom, f) => kinds.includes(f.props.kind);
    const fill = (dataLayer, colour) => ({ dataLayer, symbolizer: new PolygonSymbolizer({ fill: colour }) });
    const line = (filter, color, stops, minzoom) => ({
      dataLayer: "roads",
      filter,
      minzoom,
      symbolizer: new LineSymbolizer({ color, width: linear(stops), lineCap: "round", lineJoin: "round" }),
    });
    const wide = [[11, 1], [14, 4], [16, 9], [18, 22]];
    const middle = [[12, 0.6], [14, 2], [16, 6], [18, 15]];
    const thin = [[13, 0.4], [15, 1.4], [16, 3], [18, 8]];
    const more = (stops, by) => stops.map(([zoom, width]) => [zoom, width + by]);
    const text = (extra) => ({ fontFamily: FONT, stroke: "#ffffff", width: 2, ...extra });
    const label = (filter, minzoom, extra) => ({
      dataLayer: "labels",
      filter,
      minzoom,
      symbolizer: new CenteredTextSymbolizer(text(extra)),
    });
    return {
      backgroundColor: PAPER,
      paintRules: [
        fill("blocks", "#eae7df"),
        fill("green", "#d3e5c4"),
        fill("water", "#b9d8ea"),
        line(kind("lane"), "#dcd8ce", more(thin, 1), 14),
        line(kind("street", "main", "bridge"), "#d2cdc0", more(middle, 1.4)),
        line(kind("main", "bridge"), "#cfc7b2", more(wide, 1.6)),
        line(kind("lane"), "#ffffff", thin, 14),
        line(kind("street"), "#ffffff", middle),
        line(kind("main", "bridge"), "#fff6da", wide),
      ],
      labelRules: [
        label((zoom, f) => f.props.kind === "water", 12, { fill: "#3f7ea6", fontSize: 12, fontStyle: "italic" }),
        label((zoom, f) => f.props.kind !== "water", 13, { fill: "#5b6470", fontSize: 12 }),
        {
          dataLayer: "roads",
          filter: kind("main", "street", "bridge"),
          minzoom: 15,
          symbolizer: new LineLabelSymbolizer(text({ fill: "#7a735f", fontSize: 11 })),
        },
      ],
    };
  }

  function baseLayer(base, language) {
    if (base.kind === "xyz") {
      return L.tileLayer(base.url, { maxZoom: 20, minNativeZoom: base.min_zoom, maxNativeZoom: base.max_zoom, attribution: "", zIndex: 1 });
    }
    if (base.kind !== "pmtiles") return null;
    const look = base.style === "plan" ? streetPlan() : { flavor: base.style || "light", lang: language };
    const layer = protomapsL.leafletLayer({ url: base.url, attribution: "", zIndex: 1, tileDelay: 0.001, ...look });
    const view = layer.views.get("");
    view.tileCache.source.shouldCancelZooms = false; // a cancelled tile may take the file's directory with it
    view.tileCache.source.p.getHeader().then(
      (header) => {
        if (header.maxZoom === view.maxDataLevel) return;
        view.maxDataLevel = header.maxZoom; // deeper down, its last tiles are drawn larger
        layer.clearLayout();
        layer.rerenderTiles();
      },
      () => {} // said already: see watchFetches
    );
    return layer;
  }

  /* ---------- the map's own state ---------- */

  /* Prepare the bare map, before streamlit-folium listens to it. */
  function start(map) {
    const own = {
      map, layers: {}, base: null, baseKey: "", state: null, viewKey: null, touched: false, clicks: 0, pending: 0,
      shapes: L.layerGroup().addTo(map), tool: null, clicked: null, scripts: new Set(), fetching: 0,
    };
    map.zhendi = own;
    zhendi.own = own;
    Object.assign(map.options, { minZoom: MIN_ZOOM, maxZoom: MAX_ZOOM });
    map.attributionControl.setPrefix("Leaflet");
    L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
    own.note = element("div", "zhendi-note");
    own.note.setAttribute("role", "status");
    own.note.hidden = true;
    map.getContainer().appendChild(own.note);
    own.hint = element("div", "zhendi-hint");
    own.hint.hidden = true;
    map.getContainer().appendChild(own.hint);
    own.legend = legendControl(map);
    // streamlit-folium drops a click that equals the last: shift each by less than a hair's breadth.
    map.on("click", (event) => {
      if (own.tool) {
        event.latlng = own.clicked; // a click that draws chooses nothing: the last one is told again
        return;
      }
      own.clicks += 1;
      event.latlng = L.latLng(event.latlng.lat + (own.clicks % 7) * 1e-10, event.latlng.lng);
      own.clicked = event.latlng;
      ping(own, event.latlng);
    });
    map.on("moveend resize", () => placeLabels(own));
    map.on("mousemove", (event) => hover(own, event));
    listenOnlyToPeople(own);
    fitFrame(own);
    watchFetches(own);
    map.getContainer().dataset.idle = "0";
    mark("start");
    return own;
  }

  /*
   * The page hears of a view only after a person touched the map: drawing it is no news. What was drawn goes
   * along with all that is told until the page has answered it (see zhendi-draw.js).
   */
  function listenOnlyToPeople(own) {
    const send = window.Streamlit.setComponentValue;
    own.tell = () => {
      const view = own.value || { last_clicked: null, center: own.map.getCenter(), zoom: own.map.getZoom() };
      send.call(window.Streamlit, own.sent ? { ...view, drawing: own.sent } : view);
    };
    window.Streamlit.setComponentValue = function (value) {
      own.value = value;
      if (own.touched) own.tell();
    };
    for (const kind of ["pointerdown", "wheel", "keydown"]) {
      own.map.getContainer().addEventListener(kind, () => (own.touched = true), { capture: true, passive: true });
    }
  }

  /* On a phone the map leaves room to scroll past it. The frame follows: it is told the same height. */
  function fitFrame(own) {
    const container = own.map.getContainer();
    const fitted = (height) => (window.parent.innerWidth < PHONE_PX ? Math.min(height, PHONE_HEIGHT_PX) : height);
    const set = window.Streamlit.setFrameHeight;
    window.Streamlit.setFrameHeight = (height) => set.call(window.Streamlit, height ? fitted(height) : height);
    container.style.height = `${fitted(parseInt(container.style.height, 10))}px`;
    own.map.invalidateSize({ pan: false });
    new ResizeObserver(() => {
      own.map.invalidateSize({ pan: false });
      if (own.state && !own.touched) lookAt(own, own.state.view);
    }).observe(container);
  }

  /* A base map out of reach, or a tile link that has expired, is said on the map; the rest goes on. */
  function watchFetches(own) {
    const plain = window.fetch;
    window.fetch = async function (url, options) {
      const address = typeof url === "string" ? url : url.url;
      try {
        const answer = await plain.call(window, url, options);
        if (answer.status === 403 && address.includes("/tiles/")) say(own, "expired");
        if (answer.status >= 400 && address.includes(".pmtiles")) say(own, "unreachable");
        return answer;
      } catch (error) {
        if (error.name !== "AbortError" && address.includes(".pmtiles")) say(own, "unreachable");
        throw error;
      }
    };
  }

  function say(own, word) {
    own.note.hidden = !word;
    own.note.textContent = word && own.state ? own.state.words[word] : "";
    own.note.dataset.kind = word || "";
  }

  function ping(own, at) {
    const icon = L.divIcon({ className: "zhendi-ping", iconSize: [26, 26] });
    const pinged = L.marker(at, { icon, interactive: false, keyboard: false }).addTo(own.map);
    setTimeout(() => pinged.remove(), 700);
  }

  function hover(own, event) {
    if (own.hovering || own.tool) return;
    own.hovering = requestAnimationFrame(() => {
      own.hovering = 0;
      const { lat, lng } = event.latlng;
      const hit = Object.values(own.layers).some(({ layer }) =>
        [...layer.queryTileFeaturesDebug(lng, lat, 10).values()].some((found) => found.length)
      );
      own.map.getContainer().style.cursor = hit ? "pointer" : "";
    });
  }

  /* ---------- ready ---------- */

  /* Count up when everything asked for is drawn: tests and benchmarks wait for it. */
  function watch(own, layer) {
    layer.on("load tileerror", () => settle(own));
  }

  /* What a state asks for besides is fetched once, and then brought to the state that holds by then. */
  function fetchScripts(own, addresses) {
    const wanted = addresses.filter((address) => !own.scripts.has(address));
    if (!wanted.length) return;
    own.fetching += 1;
    const fetched = wanted.map((address) => {
      own.scripts.add(address);
      const isStyle = address.includes(".css");
      const made = element(isStyle ? "link" : "script", "");
      if (isStyle) Object.assign(made, { rel: "stylesheet", href: address });
      else Object.assign(made, { src: address, async: false });
      return new Promise((done) => {
        made.onload = made.onerror = done;
        document.head.appendChild(made);
      });
    });
    Promise.all(fetched).then(() => {
      own.fetching -= 1;
      syncParts(own);
      settle(own);
    });
  }

  const syncParts = (own) => zhendi.parts.forEach((part) => part(own, own.state));

  function settle(own) {
    if (own.settling) return;
    own.settling = true;
    requestAnimationFrame(() =>
      setTimeout(() => {
        own.settling = false;
        const drawn = [own.base, ...Object.values(own.layers).map((kept) => kept.layer)];
        if (own.pending || own.fetching || drawn.some((layer) => layer && layer.isLoading())) return;
        zhendi.idle += 1;
        mark("idle", { idle: zhendi.idle, stamp: own.state && own.state.stamp });
        const data = own.map.getContainer().dataset;
        data.stamp = own.state ? own.state.stamp : "";
        data.idle = String(zhendi.idle);
      })
    );
  }

  /* ---------- from one state to the next ---------- */

  function syncBase(own, state) {
    const key = JSON.stringify([state.base, state.language]);
    if (key === own.baseKey) return;
    own.baseKey = key;
    say(own, "");
    clearTimeout(own.silence);
    if (own.base) own.base.remove();
    own.base = baseLayer(state.base, state.language);
    own.map.getContainer().style.background = PAPER;
    setAttribution(own, state.base.attribution);
    if (!own.base) return;
    watch(own, own.base);
    own.base.on("tileerror", () => say(own, "unreachable"));
    own.base.on("tileload", () => {
      clearTimeout(own.silence);
      if (own.note.dataset.kind === "unreachable" && state.base.kind === "xyz") say(own, "");
    });
    own.base.on("loading", () => {
      clearTimeout(own.silence);
      own.silence = setTimeout(() => say(own, "unreachable"), SILENT_MS); // a server may take the call and never answer
    });
    own.base.on("load", () => clearTimeout(own.silence));
    own.base.addTo(own.map);
  }

  function setAttribution(own, text) {
    const control = own.map.attributionControl;
    if (own.attribution) control.removeAttribution(own.attribution);
    own.attribution = text ? element("span", "", text).outerHTML : ""; // Leaflet takes HTML: textContent escaped it
    if (own.attribution) control.addAttribution(own.attribution);
  }

  function syncTiles(own, state) {
    const look = { colours: state.colours, metric: state.metric };
    const wanted = new Map(state.tiles.map((spec) => [spec.name, spec]));
    for (const [name, kept] of Object.entries(own.layers)) {
      if (wanted.has(name)) continue;
      kept.layer.remove();
      delete own.layers[name];
    }
    for (const [name, spec] of wanted) {
      const key = spec.url + (name === "customers" ? state.metric : "");
      if (own.layers[name] && own.layers[name].key === key) continue;
      swap(own, name, key, tileLayer(spec, look));
    }
  }

  /* Show the new layer when it is complete, and only then take the old one away. */
  function swap(own, name, key, layer) {
    const old = own.layers[name];
    own.layers[name] = { key, layer };
    watch(own, layer);
    if (old) {
      own.pending += 1;
      let done = false;
      const finish = () => {
        if (done) return;
        done = true;
        own.pending -= 1;
        if (layer.getContainer()) layer.getContainer().style.visibility = "";
        old.layer.remove();
        settle(own);
      };
      layer.once("load", finish);
      layer.once("remove", finish);
      setTimeout(finish, SWAP_MS);
    }
    layer.addTo(own.map);
    if (old) layer.getContainer().style.visibility = "hidden";
  }

  /* The deepest whole zoom at which bounds fit, or all but fit: a little may be cut off. */
  function zoomFor(map, bounds) {
    const room = map.getSize();
    const size = map.project(bounds.getNorthEast(), 0).subtract(map.project(bounds.getSouthWest(), 0));
    const zoom = Math.log2(Math.min(room.x / Math.abs(size.x), room.y / Math.abs(size.y)));
    return Math.max(MIN_ZOOM, Math.min(MAX_ZOOM - 1, Math.floor(zoom + CUT)));
  }

  function syncView(own, view) {
    if (view.key === own.viewKey) return;
    const first = own.viewKey === null;
    own.viewKey = view.key;
    if (view.fly && !first) own.map.flyTo(onMap([view.lon, view.lat]), view.zoom, { duration: 0.7 });
    else lookAt(own, view);
  }

  function lookAt(own, view) {
    const bounds = view.bounds && L.latLngBounds(view.bounds.map(onMap));
    const [centre, zoom] = bounds
      ? [bounds.getCenter(), zoomFor(own.map, bounds)]
      : [onMap([view.lon, view.lat]), view.zoom];
    own.map.setView(centre, zoom, { animate: false });
  }

  /* While a click is to say where something is, the map says so and shows the pin. */
  function syncHint(own, state) {
    const hint = state.hint || "";
    own.hint.hidden = !hint;
    own.hint.textContent = hint;
    own.map.getContainer().classList.toggle("zhendi-aiming", Boolean(hint));
    const key = JSON.stringify(state.pin || null);
    if (key === own.pinKey) return;
    own.pinKey = key;
    if (own.pin) own.pin.remove();
    own.pin = state.pin ? pinSign(onMap(state.pin)).addTo(own.map) : null;
  }

  /* ---------- the circle, its rings, and the points with a name ---------- */

  function syncShapes(own, state) {
    const key = JSON.stringify([state.rings, state.outside, state.branch, state.farthest, state.asides, state.selected, state.candidates]);
    if (key === own.shapesKey) return;
    own.shapesKey = key;
    own.shapes.clearLayers();
    const add = (layer) => own.shapes.addLayer(layer);
    const circle = state.rings.find((ring) => ring.main);
    if (circle) add(shadow(unpacked(circle.outline), state.outside));
    state.rings.forEach((ring) => add(ringShape(ring)));
    own.far = state.farthest ? farthestShapes(state).map((shape) => add(shape) && shape).pop() : null;
    own.pills = state.rings.map((ring) => {
      const label = pill(onMap(ring.rim), ring.label, ring.main ? "main" : "");
      add(label);
      return { label, ring, rim: onMap(ring.rim) };
    });
    placeLabels(own);
    watchLabels(own);
    state.asides.forEach((point) => add(sign(onMap(point), "zhendi-aside", 14)));
    if (state.selected) add(sign(onMap(state.selected.at), "zhendi-selected", 34));
    (state.candidates || []).forEach((point) => {
      add(sign(onMap(point.at), "zhendi-farthest", 18));
      add(pill(onMap(point.at), point.label, "farthest"));
    });
    if (state.branch) {
      add(sign(onMap(state.branch.at), "zhendi-branch", 26, 1000));
      if (state.branch.label) add(pill(onMap(state.branch.at), state.branch.label, "branch"));
    }
  }

  /* A ring too small on the screen for its label goes without; the circle's own label never leaves the map. */
  function placeLabels(own) {
    if (!own.state || !own.state.branch) return;
    const centre = own.map.latLngToLayerPoint(onMap(own.state.branch.at));
    for (const { label, ring, rim } of own.pills || []) {
      if (!label.getElement()) continue;
      const away = own.map.latLngToLayerPoint(rim).distanceTo(centre);
      label.getElement().style.display = away < SMALL_RING_PX ? "none" : "";
      if (ring.main) keepRadiusInSight(own, label, ring, rim);
    }
    if (own.far && own.far.getElement()) keepFarthestWhole(own);
  }

  /* A label grows when its style or font comes later than itself. */
  function watchLabels(own) {
    if (own.growing) own.growing.disconnect();
    own.growing = new ResizeObserver(() => placeLabels(own));
    const main = (own.pills || []).filter(({ ring }) => ring.main).map(({ label }) => label);
    for (const label of [own.far, ...main]) {
      const shown = label && label.getElement();
      if (shown) own.growing.observe(shown.firstChild);
    }
  }

  /* Where the spot for the radius is beyond the map's edge, it goes round the rim to the nearest one in sight. */
  function keepRadiusInSight(own, label, ring, rim) {
    const { x: wide, y: high } = own.map.getSize();
    const aside = label.getElement().firstChild.offsetWidth / 2 + EDGE_PX;
    const over = PILL_PX / 2 + EDGE_PX;
    const inSight = ({ x, y }) => x >= aside && x <= wide - aside && y >= over && y <= high - over;
    const wanted = own.map.latLngToContainerPoint(rim);
    if (inSight(wanted)) {
      label.setLatLng(rim);
      return;
    }
    const seen = unpacked(ring.outline)
      .map((corner) => own.map.latLngToContainerPoint(corner))
      .filter(inSight)
      .sort((a, b) => a.distanceTo(wanted) - b.distanceTo(wanted));
    const at = seen[0] || L.point(
      Math.min(Math.max(wanted.x, aside), wide - aside),
      Math.min(Math.max(wanted.y, over), high - over)
    );
    label.setLatLng(own.map.containerPointToLatLng(at));
  }

  /* The farthest point's label stands inward of it, and moves along where the map's edge would cut it. */
  function keepFarthestWhole(own) {
    const label = own.far.getElement().firstChild;
    const { x, y } = own.map.latLngToContainerPoint(own.far.getLatLng());
    const inward = own.far.getLatLng().lng < onMap(own.state.branch.at).lng;
    const room = own.map.getSize().x - 2 * EDGE_PX;
    label.style.maxWidth = `${Math.min(260, room)}px`;
    const wide = label.offsetWidth;
    const wanted = x + (inward ? -BESIDE_PX : BESIDE_PX - wide);
    const left = x < 0 || x > room + 2 * EDGE_PX ? wanted : Math.min(Math.max(wanted, EDGE_PX), EDGE_PX + room - wide);
    const above = y - PILL_PX - BESIDE_PX < EDGE_PX ? BESIDE_PX : -PILL_PX - BESIDE_PX;
    label.style.transform = `translate(${Math.round(left - x)}px, ${above}px)`;
  }

  /* Many small points of one meaning: a preview, drawn on one canvas. */
  function syncDots(own, state) {
    const key = JSON.stringify(state.dots || []);
    if (key === own.dotsKey) return;
    own.dotsKey = key;
    own.dots = own.dots || L.layerGroup().addTo(own.map);
    own.dots.clearLayers();
    own.paper = own.paper || L.canvas({ padding: 0.3 });
    const count = (state.dots || []).reduce((sum, { at }) => sum + at.length / 2, 0);
    const radius = count > MANY_DOTS ? DOT_PX / 2 : DOT_PX;
    for (const { colour, at } of state.dots || [])
      for (const spot of unpacked(at))
        own.dots.addLayer(
          L.circleMarker(spot, {
            renderer: own.paper, interactive: false, radius,
            color: "#ffffff", weight: 1, fillColor: colour, fillOpacity: 0.9,
          })
        );
  }

  const quiet = { interactive: false, bubblingMouseEvents: true, smoothFactor: 0, noClip: true };

  /* Leaflet rounds corners to whole pixels, which makes a circle tremble; this does not. */
  const Outline = L.Polygon.extend({
    _projectLatlngs(latlngs, result, bounds) {
      if (!(latlngs[0] instanceof L.LatLng)) {
        latlngs.forEach((part) => this._projectLatlngs(part, result, bounds));
        return;
      }
      const origin = this._map.getPixelOrigin();
      const ring = latlngs.map((corner) => this._map.project(corner).subtract(origin));
      ring.forEach((point) => bounds.extend(point));
      result.push(ring);
    },
  });

  function ringShape(ring) {
    return new Outline(unpacked(ring.outline), {
      ...quiet,
      fill: false,
      color: BRAND,
      weight: ring.main ? 2.5 : 1.4,
      opacity: ring.main ? 0.95 : 0.6,
      dashArray: ring.main ? null : "5 6",
      className: ring.main ? "zhendi-circle" : "zhendi-ring",
    });
  }

  /* What is not looked at lies in the shade: the outside, or, when looking outside, the circle. */
  function shadow(outline, outside) {
    const world = [[-85, -540], [-85, 540], [85, 540], [85, -540]].map((corner) => L.latLng(corner));
    return new Outline(outside ? outline : [world, outline], {
      ...quiet,
      stroke: false,
      fillColor: PAPER,
      fillOpacity: 0.58,
    });
  }

  function farthestShapes(state) {
    const at = onMap(state.farthest.at);
    const line = L.polyline([onMap(state.branch.at), at], {
      ...quiet, color: BRAND, weight: 1.4, opacity: 0.7, dashArray: "2 5",
    });
    return [line, sign(at, "zhendi-farthest", 18), pill(at, state.farthest.label, "farthest")];
  }

  function sign(at, name, size, zIndexOffset) {
    const icon = L.divIcon({ className: `zhendi-sign ${name}`, iconSize: [size, size] });
    return L.marker(at, { icon, interactive: false, keyboard: false, zIndexOffset: zIndexOffset || 0 });
  }

  function pinSign(at) {
    const icon = L.divIcon({ className: "zhendi-pin", iconSize: [28, 38], iconAnchor: [14, 37] });
    return L.marker(at, { icon, interactive: false, keyboard: false, zIndexOffset: 2000 });
  }

  function pill(at, text, kind) {
    const icon = L.divIcon({ className: `zhendi-pill ${kind}`, html: element("span", "", text), iconSize: [0, 0] });
    return L.marker(at, { icon, interactive: false, keyboard: false, zIndexOffset: kind === "main" ? 900 : 500 });
  }

  /* ---------- the legend ---------- */

  function legendControl(map) {
    const control = L.control({ position: "bottomleft" });
    control.onAdd = () => {
      const box = element("details", "zhendi-legend");
      box.open = window.innerWidth >= WIDE_PX;
      L.DomEvent.disableClickPropagation(box);
      L.DomEvent.disableScrollPropagation(box);
      control.box = box;
      return box;
    };
    control.addTo(map);
    return control;
  }

  function swatch(draw) {
    const canvas = element("canvas", "");
    const scale = Math.max(2, window.devicePixelRatio);
    canvas.width = canvas.height = 18 * scale;
    const ctx = canvas.getContext("2d");
    ctx.scale(scale, scale);
    draw(ctx, { x: 9, y: 9 });
    return canvas;
  }

  function previewDot(ctx, at, colour) {
    dot(ctx, at, DOT_PX);
    ctx.fillStyle = colour;
    ctx.fill();
  }

  function shadedSquare(ctx, at, colour) {
    ctx.beginPath();
    ctx.roundRect(at.x - 8, at.y - 6, 16, 12, 2);
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.lineWidth = 1;
    ctx.strokeStyle = "#33424d";
    ctx.stroke();
  }

  function barrierLine(ctx, at) {
    ctx.beginPath();
    ctx.setLineDash([5, 3]);
    ctx.lineWidth = 2.5;
    ctx.strokeStyle = "#8e2c6a";
    ctx.moveTo(at.x - 9, at.y);
    ctx.lineTo(at.x + 9, at.y);
    ctx.stroke();
  }

  function legendRow(draw, text) {
    const row = element("div", "row");
    row.append(swatch(draw), element("span", "", text));
    return row;
  }

  function ramp(colours, words) {
    const row = element("div", "ramp");
    colours.forEach((colour, i) => {
      const part = element("span", "", words[i]);
      part.style.setProperty("--colour", colour);
      row.append(part);
    });
    return row;
  }

  function syncLegend(own, state) {
    const meant = (state.dots || []).map(({ colour, label }) => [colour, label]);
    const key = JSON.stringify([state.legend, state.words, state.tiles.map((spec) => spec.name), state.metric, meant, Boolean(state.barriers)]);
    if (key === own.legendKey) return;
    own.legendKey = key;
    const { words, legend } = state;
    const shown = new Set(state.tiles.map((spec) => spec.name));
    const parts = [element("summary", "", words.legend)];
    parts.push(...meant.map(([colour, text]) => legendRow((ctx, at) => previewDot(ctx, at, colour), text)));
    const heading = (text) => parts.push(element("h4", "", text));
    const rows = (...made) => {
      const grid = element("div", "grid");
      grid.append(...made);
      parts.push(grid);
    };
    if (legend.shading) {
      if (own.legend.box.open === false && !own.shadesTold) own.legend.box.open = window.innerWidth >= SHADED_PX;
      own.shadesTold = true;
      heading(legend.shading_title || "");
      parts.push(...legend.shading.map(([colour, text]) => legendRow((ctx, at) => shadedSquare(ctx, at, colour), text)));
    }
    if (state.barriers) parts.push(legendRow(barrierLine, state.tool_words.barrier));
    if (shown.has("merchants")) {
      heading(words.merchants);
      rows(
        ...(legend.statuses || []).map((text, status) =>
          legendRow((ctx, at) => merchantDot(ctx, at, 17, status === CLOSED ? "#9aa1a9" : "#4b5563", status), text)
        )
      );
      rows(
        ...(legend.categories || []).map(([colour, text]) =>
          legendRow((ctx, at) => merchantDot(ctx, at, 17, colour, SIGNED), text)
        )
      );
      parts.push(legendRow((ctx, at) => merchantBubble(ctx, at, 20, 8), words.bubble));
    }
    if (shown.has("customers")) {
      const share = state.metric === "coverage";
      heading(share ? words.customers_share : words.customers_count);
      const [colours, from] = share ? [SHARE, SHARE_FROM] : [DENSITY, DENSITY_FROM];
      parts.push(ramp(colours, from.map((value, i) => (share ? `${value * 100}%` : i ? `${value}+` : "<5"))));
    }
    if (shown.has("outlets")) {
      heading(words.outlets);
      rows(
        legendRow((ctx, at) => outletSquare(ctx, at, 15, false, BANK), words.rival),
        legendRow((ctx, at) => outletSquare(ctx, at, 15, true, BANK), words.own)
      );
    }
    if (shown.has("places")) {
      heading(words.places);
      rows(...(legend.places || []).map(([kind, text]) => legendRow((ctx, at) => placeRing(ctx, at, 16, kind, 600), text)));
    }
    own.legend.box.replaceChildren(...parts);
    translateControls(own, words);
  }

  function translateControls(own, words) {
    const container = own.map.getContainer();
    const name = (selector, text) => {
      const found = container.querySelector(selector);
      if (!found) return;
      found.title = text;
      found.setAttribute("aria-label", text);
    };
    name(".leaflet-control-zoom-in", words.zoom_in);
    name(".leaflet-control-zoom-out", words.zoom_out);
    container.setAttribute("aria-label", words.map);
  }

  /* Bring the map to a state. Only what is different is touched. */
  function sync(map, state) {
    const own = map.zhendi;
    mark("sync", { stamp: state.stamp });
    own.state = state;
    map.getContainer().lang = state.language;
    syncView(own, state.view);
    syncBase(own, state);
    syncTiles(own, state);
    syncShapes(own, state);
    syncDots(own, state);
    syncHint(own, state);
    syncLegend(own, state);
    fetchScripts(own, state.scripts || []);
    syncParts(own);
    settle(own);
  }

  const kit = { INK, FONT, pill, quiet, mark, element, onMap };
  const zhendi = { start, sync, kit, parts: [], idle: 0, own: null };
  window.zhendi = zhendi;
})();

/*
 * Runs in the measured page before anything of its own, and says when the map is drawn, what the figures read,
 * and how many bytes went over the websocket. Times are the page's own clock, which starts with the navigation.
 */
(function () {
  "use strict";

  if (window !== window.top) return;
  const LIMIT_MS = 600000;
  const QUIET_MS = 500;
  const bytes = { received: 0, sent: 0 };
  const deck = { uploaded: 0, drawn: 0 };
  let kind = "";
  let rows = 0;

  /* ---------- the websocket ---------- */

  const size = (data) => (typeof data === "string" ? data.length : data.byteLength || data.size || 0);
  window.WebSocket = class extends window.WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", (event) => (bytes.received += size(event.data)));
    }
    send(data) {
      bytes.sent += size(data);
      super.send(data);
    }
  };

  /* ---------- what is drawn ---------- */

  function frames(test) {
    const found = [];
    for (const frame of document.querySelectorAll("iframe")) {
      const inner = frame.contentWindow;
      try {
        if (inner && test(inner)) found.push(inner);
      } catch (error) {
        if (error.name !== "SecurityError") throw error; // a frame from elsewhere is none of ours
      }
    }
    return found;
  }

  /* Ours: every layer says that its tiles are in, and the map carries the stamp of the state it was brought to. */
  function oursDrawn() {
    const [inner] = frames((each) => each.zhendi && each.zhendi.own && each.zhendi.own.state);
    if (!inner) return null;
    const { map, state } = inner.zhendi.own;
    const circle = map.getContainer().querySelector("path.zhendi-circle");
    return inner.zhendi.idle && circle && map.getContainer().dataset.stamp === state.stamp
      ? circle.getAttribute("d")
      : null;
  }

  /* A folium map: the circle is there and, in the same breath, all markers are. */
  function foliumDrawn(enough) {
    const shapes = frames((each) => each.map && each.map._layers).map((each) => {
      const circle = Object.values(each.map._layers).find((layer) => layer._mRadius);
      return circle && enough(each.document) ? String(circle._mRadius) : null;
    });
    return shapes.filter(Boolean).pop() || null;
  }

  const drawn = {
    ours: oursDrawn,
    empty: () => foliumDrawn(() => true),
    circles: () => foliumDrawn((inner) => inner.querySelectorAll("path.leaflet-interactive").length >= rows),
    clusters: () => foliumDrawn((inner) => inner.querySelector(".marker-cluster")),
    deck: () => (deck.drawn > deck.uploaded && deck.uploaded ? String(deck.uploaded) : null),
  };

  /*
   * deck.gl: a buffer for all the rows was uploaded, and a draw of all of them was asked for after it. That draw is
   * left out: a graphics card does it in an instant, and the software in its place here would be all one measured.
   */
  function watchDeck() {
    const calls = window.WebGL2RenderingContext.prototype;
    const before = (name, note) => {
      const plain = calls[name];
      calls[name] = function (...given) {
        if (!note(given)) return plain.apply(this, given);
      };
    };
    const upload = (data) => {
      if (data && (data.byteLength || data) >= 8 * rows) deck.uploaded = performance.now();
    };
    const draw = (count) => {
      if (count >= rows) deck.drawn = performance.now();
      return count >= rows;
    };
    before("bufferData", (given) => upload(given[1]));
    before("bufferSubData", (given) => upload(given[2]));
    before("drawArraysInstanced", (given) => draw(given[3]));
    before("drawElementsInstanced", (given) => draw(given[4]));
  }

  /* ---------- waiting ---------- */

  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const figures = () => [...document.querySelectorAll("[data-testid=stMetric]")].map((card) => card.innerText).join("|");
  const running = () =>
    document.querySelector("[data-testid=stApp]")?.getAttribute("data-test-script-state") !== "notRunning" ||
    document.querySelector("[data-stale=true]") !== null;

  async function until(test, what) {
    const end = performance.now() + LIMIT_MS;
    for (;;) {
      const found = test();
      if (found) return found;
      if (document.querySelector("[data-testid=stException]")) throw new Error("the page shows an error; see its log");
      if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
      await frame();
    }
  }

  /* On screen two frames later; of deck.gl the moment counts at which it asked for the drawing. */
  async function painted() {
    if (kind === "deck") return deck.drawn;
    await frame();
    await frame();
    return performance.now();
  }

  async function first() {
    await until(() => document.body, "the page");
    await until(drawn[kind], "the map");
    const map = await painted();
    await until(() => figures() && !running(), "the figures");
    return { map, figures: performance.now() };
  }

  /* Whatever a page does by itself after it was drawn is over. */
  async function quiet() {
    let last = -1;
    let since = performance.now();
    await until(() => {
      const now = bytes.received + bytes.sent;
      if (now !== last || running()) [last, since] = [now, performance.now()];
      return performance.now() - since > QUIET_MS;
    }, "quiet");
  }

  let move = null;

  /* To be called before the slider is touched: the clock starts with the event itself. */
  function arm() {
    move = { figures: figures(), shape: drawn[kind](), start: 0 };
    bytes.received = bytes.sent = 0;
    window.addEventListener("keydown", (event) => (move.start = event.timeStamp), { capture: true, once: true });
  }

  async function moved() {
    const done = {};
    await Promise.all([
      until(() => figures() !== move.figures && !running(), "the figures").then(
        () => (done.figures = performance.now())
      ),
      until(() => drawn[kind]() && drawn[kind]() !== move.shape, "the map")
        .then(painted)
        .then((at) => (done.map = at)),
    ]);
    return { map: done.map - move.start, figures: done.figures - move.start };
  }

  function watch(what, count) {
    [kind, rows] = [what, count];
    if (kind === "deck") watchDeck();
  }

  window.bench = { watch, first, quiet, arm, moved, bytes };
})();

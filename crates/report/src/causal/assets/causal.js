// The space-time diagram of a run of processes. Rows are events, causes above effects; columns are
// lanes; arrows are messages. An event that is chosen shows what it knows and what it influences.
const ROW = 22, TOP = 46, LEFT = 92, PAGE = 300;
const state = { run: null, page: 0, all: false, filter: "", chosen: null };

const timeText = (ns) => ns < 1e6 ? `${Math.floor(ns / 1e3)}us` : ns < 1e9 ? `${(ns / 1e6).toFixed(1)}ms` : `${(ns / 1e9).toFixed(2)}s`;
const runOf = (number) => data.runs.find((run) => run.run === number);
const laneOf = (run, event) => run.laneOf[run.events[event][0]];

// Per event: the one before in its thread, and its other causes.
function graphOf(run) {
  if (run.before) return run;
  const last = new Map();
  run.before = run.events.map(([process, thread, , , , after], index) => {
    const key = `${process}/${thread}`;
    const own = last.get(key);
    last.set(key, index);
    return own === undefined ? after : [own, ...after];
  });
  run.after = run.events.map(() => []);
  run.before.forEach((before, index) => before.forEach((from) => run.after[from].push(index)));
  run.sent = new Map();
  run.received = new Map();
  run.messages.forEach(([sent, received], index) => {
    if (!run.sent.has(sent)) run.sent.set(sent, []);
    run.sent.get(sent).push(index);
    if (received >= 0) {
      if (!run.received.has(received)) run.received.set(received, []);
      run.received.get(received).push(index);
    }
  });
  return run;
}

function reach(start, neighbours) {
  const seen = new Set([start]), open = [start];
  while (open.length > 0) {
    for (const next of neighbours[open.pop()]) {
      if (!seen.has(next)) { seen.add(next); open.push(next); }
    }
  }
  return seen;
}

function rowsOfRun(run) {
  const wanted = state.filter.toLowerCase();
  const rows = [];
  run.events.forEach((event, index) => {
    if (!state.all && !run.shown[index]) return;
    if (wanted && !event[4].toLowerCase().includes(wanted)) return;
    rows.push(index);
  });
  return rows;
}

function draw() {
  const run = graphOf(runOf(state.run));
  const rows = rowsOfRun(run);
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  state.page = Math.min(state.page, pages - 1);
  const page = rows.slice(state.page * PAGE, (state.page + 1) * PAGE);
  const used = run.lanes.map((_, lane) => lane).filter((lane) => rows.some((event) => laneOf(run, event) === lane));
  const column = Math.max(90, Math.min(200, (byId("view").clientWidth - LEFT - 30) / Math.max(used.length, 1)));
  const x = (lane) => LEFT + column * (used.indexOf(lane) + 0.5);
  const place = new Map(page.map((event, index) => [event, TOP + ROW * (index + 0.5)]));
  const width = LEFT + column * used.length + 20, height = TOP + ROW * page.length + 16;
  const past = state.chosen === null ? null : reach(state.chosen, run.before);
  const future = state.chosen === null ? null : reach(state.chosen, run.after);
  const tone = (event) => !past ? "" : event === state.chosen ? " chosen" : past.has(event) ? " past" : future.has(event) ? " future" : " concurrent";
  const svg = s("svg", { class: "spacetime causal", viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
    "aria-label": `Space-time diagram of run ${run.run}: ${plural(used.length, "lane")}, ${plural(page.length, "event")}.` });
  for (const lane of used) {
    svg.append(s("line", { class: "life", x1: x(lane), x2: x(lane), y1: TOP, y2: height - 10 }));
    const name = visible(run.lanes[lane]);
    svg.append(s("text", { class: "node label", x: x(lane), y: 24, "text-anchor": "middle" }, s("title", null, name), short(name, Math.floor(column / 8))));
  }
  const occupied = [];
  run.messages.forEach(([sent, received, bytes, label], index) => {
    const from = place.get(sent), to = received < 0 ? undefined : place.get(received);
    if (received < 0 || laneOf(run, sent) === laneOf(run, received) || (from === undefined && to === undefined)) return;
    const x1 = x(laneOf(run, sent)), x2 = x(laneOf(run, received));
    const y1 = from === undefined ? TOP - 8 : from, y2 = to === undefined ? height - 4 : to;
    const length = Math.hypot(x2 - x1, y2 - y1) || 1, ux = (x2 - x1) / length, uy = (y2 - y1) / length;
    const ex = x2 - ux * 6, ey = y2 - uy * 6;
    const text = `${label === null ? "message" : visible(label)}`;
    const group = s("g", { class: "message" + tone(received), "data-message": index, onclick: () => choose(received) },
      s("title", null, `${visible(run.events[sent][4])}; ${bytes} bytes received`),
      s("path", { class: "hit", d: `M${x1} ${y1}L${x2} ${y2}` }),
      s("path", { class: "line", d: `M${x1} ${y1}L${ex} ${ey}` }),
      s("path", { class: "head", d: `M${ex} ${ey}L${ex - 8 * ux - 3.5 * uy} ${ey - 8 * uy + 3.5 * ux}L${ex - 8 * ux + 3.5 * uy} ${ey - 8 * uy - 3.5 * ux}Z` }));
    svg.append(group);
    const shownText = short(text, 24), wide = shownText.length * 6.6 + 6;
    for (const part of [0.5, 0.35, 0.65]) {
      const cx = x1 + (x2 - x1) * part, cy = y1 + (y2 - y1) * part, box = [cx - wide / 2, cy - 8, wide, 15];
      const free = occupied.every((o) => box[0] >= o[0] + o[2] || o[0] >= box[0] + box[2] || box[1] >= o[1] + o[3] || o[1] >= box[1] + box[3]);
      if (!free) continue;
      occupied.push(box);
      svg.append(s("text", { class: "label message-label", x: cx, y: cy + 3.5, "text-anchor": "middle" }, shownText));
      break;
    }
  });
  for (const event of page) {
    const [, , time, kind, text] = run.events[event];
    const y = place.get(event), lane = laneOf(run, event);
    svg.append(s("text", { class: "time", x: LEFT - 14, y: y + 4, "text-anchor": "end" }, timeText(time)));
    const mark = s("g", { class: "mark" + tone(event), tabindex: 0, "data-event": event, onclick: () => choose(event),
      onkeydown: (key) => { if (key.key === "Enter") choose(event); } },
      s("title", null, `${timeText(time)}: ${visible(text)}`),
      s("circle", { class: `event kind-${kind}`, cx: x(lane), cy: y, r: 4.5 }));
    if (kind !== "send" && kind !== "receive") {
      mark.append(s("text", { class: "label note", x: x(lane) + 9, y: y + 4 }, short(visible(text), 40)));
    }
    svg.append(mark);
  }
  byId("view").replaceChildren(svg);
  byId("pages").textContent = `${rows.length} events, part ${state.page + 1} of ${pages}`;
  byId("previous").disabled = state.page === 0;
  byId("next").disabled = state.page + 1 >= pages;
}

function choose(event) {
  state.chosen = state.chosen === event ? null : event;
  draw();
  const panel = byId("panel");
  if (state.chosen === null) {
    panel.replaceChildren(h("p", { class: "empty" }, "Choose an event: what it knows is drawn in one tone, what it influences in another; the rest is concurrent."));
    return;
  }
  const run = runOf(state.run), [process, thread, time, kind, text] = run.events[event];
  const where = run.processes[process];
  const link = (other) => h("li", null, h("button", { type: "button", onclick: () => choose(other) },
    `${visible(run.lanes[laneOf(run, other)])}: ${visible(run.events[other][4])}`));
  const told = [...(run.sent.get(event) || []), ...(run.received.get(event) || [])].map((index) => {
    const [, , bytes, label, name, content] = run.messages[index];
    return h("li", null, h("b", null, label === null ? "message" : visible(label)), ` ${bytes} bytes`, h("br"), visible(name), h("br"), h("code", null, visible(content)));
  });
  panel.replaceChildren(
    h("h3", null, visible(text)),
    h("p", null, `${visible(where[0])}, ${visible(where[1])}, process ${where[2]}, thread ${thread}, at ${timeText(time)} (${kind})`),
    told.length ? h("ul", { class: "tuples" }, told) : null,
    h("p", null, `It knows of ${plural(reach(event, run.before).size - 1, "event")} and influences ${reach(event, run.after).size - 1}.`),
    h("h3", null, "Right after"), h("ul", { class: "tuples" }, run.before[event].map(link)),
    h("h3", null, "Right before"), h("ul", { class: "tuples" }, run.after[event].map(link)));
}

function open(number) {
  Object.assign(state, { run: number, page: 0, chosen: null });
  for (const part of document.querySelectorAll("[data-run]")) part.hidden = Number(part.dataset.run) !== number;
  choose(null);
}

if (data.runs.length > 0) {
  byId("choice").addEventListener("change", (event) => open(Number(event.target.value)));
  byId("filter").addEventListener("input", (event) => { state.filter = event.target.value; state.page = 0; draw(); });
  byId("all").addEventListener("change", (event) => { state.all = event.target.checked; state.page = 0; draw(); });
  byId("previous").addEventListener("click", () => { state.page--; draw(); });
  byId("next").addEventListener("click", () => { state.page++; draw(); });
  open(data.runs[0].run);
}
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

// The space-time diagram of a run of processes. Rows are events, causes above effects; columns are
// lanes; arrows are messages; a red line is a fault.
const ROW = 22, TOP = 46;

const timeText = (ns) => ns < 1e6 ? `${Math.floor(ns / 1e3)}us` : ns < 1e9 ? `${(ns / 1e6).toFixed(1)}ms` : `${(ns / 1e9).toFixed(2)}s`;
const runOf = (number) => data.runs.find((run) => run.run === number);
const laneOf = (run, event) => run.laneOf[run.events[event][0]];

// Per event: the one before in its thread, and its other causes; per event the messages it sent and
// received; what is marked.
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
  run.parted = new Map(run.marks.parted);
  run.support = new Set(run.marks.support.flat());
  run.struck = new Set(run.marks.faults.map(([, event]) => event));
  return run;
}

function rowsOfRun(run, all, filter) {
  const wanted = filter.toLowerCase();
  const rows = [];
  run.events.forEach((event, index) => {
    if (!all && !run.shown[index] && !run.parted.has(index) && !run.struck.has(index)) return;
    if (wanted && !event[4].toLowerCase().includes(wanted)) return;
    rows.push(index);
  });
  return rows;
}
const lanesOf = (run, rows) => run.lanes.map((_, lane) => lane).filter((lane) => rows.some((event) => laneOf(run, event) === lane));

// The place in `rows` where an event is, or would be.
const rowOf = (rows, event) => {
  const at = rows.findIndex((row) => row >= event);
  return at < 0 ? rows.length - 1 : at;
};

// Rows top to bottom: events, and between them the faults that fired there.
function slotsOf(run, page) {
  const slots = page.map((event) => ({ event }));
  for (const [text, event, time] of run.marks.faults) {
    if (page.length === 0 || event < page[0] || event > page[page.length - 1]) continue;
    const at = slots.findIndex((slot) => slot.event >= event);
    slots.splice(text.includes(" before ") ? at : at + 1, 0, { fault: text, time });
  }
  return slots;
}

// Draws the events of `page` in columns for `lanes`. `tone` is a class per event, `choose` is called
// with the event that is clicked.
function drawRun(run, page, { lanes, available, tone, choose }) {
  const narrow = available < 520;
  const left = narrow ? 60 : 92;
  const column = Math.max(narrow ? 54 : 78, Math.min(200, (available - left - 22) / Math.max(lanes.length, 1)));
  const x = (lane) => left + column * (lanes.indexOf(lane) + 0.5);
  const slots = slotsOf(run, page);
  const place = new Map();
  slots.forEach((slot, index) => { slot.y = TOP + ROW * (index + 0.5); if (slot.event !== undefined) place.set(slot.event, slot.y); });
  const width = Math.ceil(left + column * lanes.length + 20), height = TOP + ROW * slots.length + 16;
  const svg = s("svg", { class: "spacetime causal", viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
    "aria-label": `Space-time diagram of run ${run.run}: ${plural(lanes.length, "lane")}, ${plural(page.length, "event")}.` });
  for (const [event, name] of run.parted) {
    if (!place.has(event)) continue;
    svg.append(s("rect", { class: "parting", "data-parting": event, x: 0, y: place.get(event) - ROW / 2, width, height: ROW },
      s("title", null, `${visible(name)}: the first here that the other run has not`)));
  }
  for (const lane of lanes) {
    svg.append(s("line", { class: "life", x1: x(lane), x2: x(lane), y1: TOP, y2: height - 10 }));
    const name = visible(run.lanes[lane]);
    svg.append(s("text", { class: "node label", x: x(lane), y: 24, "text-anchor": "middle" }, s("title", null, name), short(name, Math.floor(column / 8))));
  }
  const occupied = [];
  run.messages.forEach((_, index) => drawMessage(svg, run, index, { place, x, lanes, height, tone, choose, occupied }));
  for (const slot of slots) {
    if (slot.fault === undefined) drawEvent(svg, run, slot.event, { x: x(laneOf(run, slot.event)), y: slot.y, left, tone, choose, room: narrow ? 16 : 40 });
    else drawFault(svg, slot, left, width);
  }
  return svg;
}

function drawMessage(svg, run, index, { place, x, lanes, height, tone, choose, occupied }) {
  const [sent, received, bytes, label] = run.messages[index];
  const from = place.get(sent), to = received < 0 ? undefined : place.get(received);
  if (received < 0 || laneOf(run, sent) === laneOf(run, received) || (from === undefined && to === undefined)) return;
  if (!lanes.includes(laneOf(run, sent)) || !lanes.includes(laneOf(run, received))) return;
  const x1 = x(laneOf(run, sent)), x2 = x(laneOf(run, received));
  const y1 = from === undefined ? TOP - 8 : from, y2 = to === undefined ? height - 4 : to;
  const length = Math.hypot(x2 - x1, y2 - y1) || 1, ux = (x2 - x1) / length, uy = (y2 - y1) / length;
  const ex = x2 - ux * 6, ey = y2 - uy * 6;
  const text = label === null ? "message" : visible(label);
  const carries = run.support.has(sent) && run.support.has(received) ? " support" : "";
  svg.append(s("g", { class: `message${tone(received)}${carries}`, "data-message": index, onclick: () => choose(received) },
    s("title", null, `${visible(run.events[sent][4])}; ${bytes} bytes received`),
    s("path", { class: "hit", d: `M${x1} ${y1}L${x2} ${y2}` }),
    s("path", { class: "line", d: `M${x1} ${y1}L${ex} ${ey}` }),
    s("path", { class: "head", d: `M${ex} ${ey}L${ex - 8 * ux - 3.5 * uy} ${ey - 8 * uy + 3.5 * ux}L${ex - 8 * ux + 3.5 * uy} ${ey - 8 * uy - 3.5 * ux}Z` })));
  const shownText = short(text, 24), wide = shownText.length * 6.6 + 6;
  for (const part of [0.5, 0.35, 0.65]) {
    const cx = x1 + (x2 - x1) * part, cy = y1 + (y2 - y1) * part, box = [cx - wide / 2, cy - 8, wide, 15];
    const free = occupied.every((o) => box[0] >= o[0] + o[2] || o[0] >= box[0] + box[2] || box[1] >= o[1] + o[3] || o[1] >= box[1] + box[3]);
    if (!free) continue;
    occupied.push(box);
    svg.append(s("text", { class: "label message-label", x: cx, y: cy + 3.5, "text-anchor": "middle" }, shownText));
    break;
  }
}

function drawEvent(svg, run, event, { x, y, left, tone, choose, room }) {
  const [, , time, kind, text] = run.events[event];
  svg.append(s("text", { class: "time", x: left - 10, y: y + 4, "text-anchor": "end" }, timeText(time)));
  const marked = (run.parted.has(event) ? " parted" : "") + (run.support.has(event) ? " support" : "");
  const mark = s("g", { class: "mark" + tone(event) + marked, tabindex: 0, "data-event": event, onclick: () => choose(event),
    onkeydown: (key) => { if (key.key === "Enter") choose(event); } },
    s("title", null, `${timeText(time)}: ${visible(text)}`),
    s("circle", { class: `event kind-${kind}`, cx: x, cy: y, r: 4.5 }));
  if (kind !== "send" && kind !== "receive") {
    mark.append(s("text", { class: "label note", x: x + 9, y: y + 4 }, short(visible(text), room)));
  }
  svg.append(mark);
}

function drawFault(svg, { fault, time, y }, left, width) {
  const text = `✗ ${short(visible(fault), Math.max(12, Math.floor((width - left) / 7) - 2))}`;
  svg.append(s("g", { class: "fault" },
    s("title", null, `${timeText(time)}: ${visible(fault)}`),
    s("line", { x1: Math.min(left + 8 + text.length * 7, width), x2: width, y1: y, y2: y }),
    s("text", { class: "time", x: left - 10, y: y + 4, "text-anchor": "end" }, timeText(time)),
    s("text", { class: "label name", x: left, y: y + 4 }, text)));
}

// The space-time diagram of a run.
const GEOMETRY = { left: 96, top: 46, row: 40, bottom: 16, radius: 4.5 };

function arrowsOf(run) {
  const groups = new Map();
  for (const message of run.messages) {
    const key = [message.at, message.from, message.to, message.arrives].join();
    if (!groups.has(key)) groups.set(key, { ...message, rows: [], rules: [] });
    const arrow = groups.get(key);
    arrow.rows.push(message.row);
    arrow.rules.push(message.rule);
  }
  return [...groups.values()];
}

// Calls `select(what)` when a node at a time step or an arrow is chosen.
function drawSpaceTime(run, { select, other, available }) {
  const nodes = data.nodes.length, eot = data.eot;
  const column = Math.max(64, Math.min(190, (available - GEOMETRY.left - 20) / Math.max(nodes, 1)));
  const x = (node) => GEOMETRY.left + column * (node + 0.5);
  const y = (time) => GEOMETRY.top + GEOMETRY.row * (time - 0.5);
  const width = GEOMETRY.left + column * nodes + 16;
  // In a long diagram the names stand below, too.
  const isLong = eot > 15;
  const height = GEOMETRY.top + GEOMETRY.row * eot + GEOMETRY.bottom + (isLong ? 14 : 0);
  const occupied = [];
  const svg = s("svg", {
    class: "spacetime", viewBox: `0 0 ${width} ${height}`, width, height, tabindex: 0, role: "group",
    "aria-label": `Space-time diagram of run ${run.number}: ${plural(nodes, "node")}, ${plural(eot, "time step")}. Arrow keys move, the panel beside it tells what is there.`,
  });
  drawBands(svg, run, y);
  for (let time = 1; time <= eot; time++) {
    svg.append(s("line", { class: "grid", x1: GEOMETRY.left - 8, x2: width - 8, y1: y(time), y2: y(time) }));
    svg.append(s("text", { class: "time", x: 26, y: y(time) + 4, "text-anchor": "end" }, String(time)));
  }
  data.nodes.forEach((_, node) => {
    const crash = run.crashes.get(node) ?? eot, back = run.recoveries.get(node) ?? eot;
    const life = (kind, from, to) => from < to && svg.append(s("line", { class: kind, x1: x(node), x2: x(node), y1: y(from), y2: y(to) }));
    life("life", 1, Math.min(crash, eot));
    life("life dead", crash, back);
    life("life", back, eot);
    const name = nodeName(node);
    const max = Math.floor((column - 8) / 8);
    const label = (top) => svg.append(s("text", { class: "node label", x: x(node), y: top, "text-anchor": "middle" }, s("title", null, name), short(name, max)));
    label(24);
    if (isLong) label(height - 6);
  });
  const differs = other ? differingArrows(run, other) : null;
  const arrows = arrowsOf(run);
  for (const arrow of arrows) svg.append(drawArrow(arrow, x, y, select, differs));
  data.nodes.forEach((_, node) => {
    for (let time = 1; time <= eot; time++) {
      const dead = isDown(run, node, time), recovers = run.recoveries.get(node) === time;
      const crashes = run.crashes.get(node) === time;
      occupied.push([x(node) - 8, y(time) - 8, 16, 16]);
      svg.append(crashes
        ? s("g", { class: "event crash", onclick: () => select({ node, time }) },
            s("title", null, `${nodeName(node)} crashes at time ${time}`),
            s("circle", { cx: x(node), cy: y(time), r: 9 }),
            s("path", { d: `M${x(node) - 5} ${y(time) - 5}l10 10m0 -10l-10 10` }))
        : recovers
        ? s("g", { class: "event recovery", onclick: () => select({ node, time }) },
            s("title", null, `${nodeName(node)} recovers at time ${time}`),
            s("circle", { cx: x(node), cy: y(time), r: 9 }),
            s("path", { d: `M${x(node) - 4} ${y(time) + 1}l4 -5l4 5m-4 -5v9` }))
        : s("circle", { class: dead ? "event dead" : "event", cx: x(node), cy: y(time), r: GEOMETRY.radius, onclick: () => select({ node, time }) },
            s("title", null, `${nodeName(node)} at time ${time}`)));
    }
  });
  for (const arrow of arrows.filter((a) => a.lost)) {
    const p = arrowPath(arrow, x, y);
    occupied.push([p.x2 - 6, p.y2 - 6, 12, 12]);
  }
  for (const input of run.inputs) svg.append(drawInput(input, x, y, select, occupied));
  placeLabels(svg, arrows, x, y, occupied);
  const cursor = s("circle", { class: "cursor", r: 10, cx: x(0), cy: y(1) });
  svg.append(cursor);
  const at = { node: 0, time: 1 };
  const moveTo = (node, time) => {
    at.node = Math.max(0, Math.min(nodes - 1, node));
    at.time = Math.max(1, Math.min(eot, time));
    cursor.setAttribute("cx", x(at.node));
    cursor.setAttribute("cy", y(at.time));
    select({ ...at });
  };
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    moveTo(at.node + step[0], at.time + step[1]);
  });
  return svg;
}

// Two bands on the left: where the invariant asks for something, and where it is answered.
function drawBands(svg, run, y) {
  const bands = data.asked === null ? [["answered", data.answered, 52]] : [["asked", data.asked, 42], ["answered", data.answered, 64]];
  for (const [kind, relation, left] of bands) {
    const name = visible(data.relations[relation]);
    svg.append(s("text", { class: "band-name label", x: left + 9, y: 24, "text-anchor": "middle" }, short(name, 5)));
    for (let time = 1; time <= data.eot; time++) {
      const rows = rowsOf(run, relation, time);
      const unanswered = kind === "asked" ? 0 : unansweredAt(run, time);
      if (rows.length === 0 && unanswered === 0) continue;
      const bad = unanswered > 0;
      const title = bad
        ? `${name} at time ${time}: ${plural(unanswered, "row")} missing`
        : `${name} at time ${time}: ${rows.map(rowText).join(", ")}`;
      svg.append(s("g", { class: `band ${kind}${bad ? " bad" : ""}` }, s("title", null, title),
        s("rect", { x: left, y: y(time) - GEOMETRY.row / 2 + 1, width: 18, height: GEOMETRY.row - 2, rx: 3 }),
        s("text", { x: left + 9, y: y(time) + 4, "text-anchor": "middle" }, bad ? "✗" : "✓")));
    }
  }
}

function unansweredAt(run, time) {
  if (data.asked === null) return 0;
  const answered = new Set(rowsOf(run, data.answered, time).map(valuesKey));
  return rowsOf(run, data.asked, time).filter((row) => !answered.has(valuesKey(row))).length;
}

// An input that can come in several ways: a diamond beside its node.
function drawInput(input, x, y, select, occupied) {
  const node = placeOf(input.row), at = [node < 0 ? GEOMETRY.left - 4 : x(node) - 15, y(input.at)];
  const text = `input ${rowText(input.row)} at time ${input.at}` +
    (input.chosen ? `; without faults ${input.usual[0] === input.row ? "" : rowText(input.usual[0]) + " "}at time ${input.usual[1]}` : "");
  occupied.push([at[0] - 7, at[1] - 7, 14, 14]);
  return s("g", { class: "input" + (input.chosen ? " chosen" : ""), onclick: () => select(node < 0 ? { input: text } : { node, time: input.at, input: text }) },
    s("title", null, text), s("path", { d: `M${at[0]} ${at[1] - 6}l6 6l-6 6l-6 -6Z` }));
}

// Where an arrow begins and ends. What arrives after the end leaves the picture below.
function arrowPath(arrow, x, y) {
  const arrival = arrow.lost ? arrow.at + 1 : Math.min(arrow.arrives, data.eot + 0.6);
  const x2 = x(arrow.to), y2 = y(arrival);
  const x1 = arrow.from < 0 ? GEOMETRY.left - 4 : x(arrow.from), y1 = y(arrow.at);
  const end = arrow.lost ? 0.62 : 1;
  const dx = x2 - x1, dy = y2 - y1, length = Math.hypot(dx, dy) || 1;
  const gap = arrow.lost ? 0 : (GEOMETRY.radius + 2) / length;
  return { x1, y1, x2: x1 + dx * (end - gap), y2: y1 + dy * (end - gap), ux: dx / length, uy: dy / length };
}

const arrivalText = (arrow) => (arrow.arrives > data.eot ? "still on its way at the end" : `arrives at time ${arrow.arrives}`);

function drawArrow(arrow, x, y, select, differs) {
  const own = arrow.from === arrow.to;
  const p = arrowPath(arrow, x, y);
  const changed = differs?.has([arrow.at, arrow.from, arrow.to, arrow.arrives].join());
  const fate = arrow.lost ? ", LOST" : arrow.late ? `, LATE: ${arrivalText(arrow)}` : "";
  const title = `${nodeName(arrow.from)} to ${nodeName(arrow.to)} at time ${arrow.at}${fate}: ` + arrow.rows.map(rowText).join(", ");
  const path = own
    ? `M${p.x1 + 4} ${p.y1}C${p.x1 + 26} ${p.y1 + 6} ${p.x1 + 26} ${p.y2 - 6} ${p.x1 + 6} ${p.y2}`
    : `M${p.x1} ${p.y1}L${p.x2} ${p.y2}`;
  const group = s("g", {
    class: "message" + (arrow.lost ? " lost" : "") + (arrow.late ? " late" : "") + (own ? " own" : "") + (changed ? " changed" : ""),
    "data-at": arrow.at, onclick: () => select({ arrow }),
  }, s("title", null, title), s("path", { class: "hit", d: path }), s("path", { class: "line", d: path }));
  if (arrow.lost) {
    group.append(s("path", { class: "cross", d: `M${p.x2 - 5} ${p.y2 - 5}l10 10m0 -10l-10 10` }));
  } else if (!own) {
    const { x2, y2, ux, uy } = p;
    group.append(s("path", { class: "head", d: `M${x2} ${y2}L${x2 - 8 * ux - 3.5 * uy} ${y2 - 8 * uy + 3.5 * ux}L${x2 - 8 * ux + 3.5 * uy} ${y2 - 8 * uy - 3.5 * ux}Z` }));
  }
  return group;
}

const overlaps = (a, b) => a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];

// A label where it covers no other one and no node; lost messages first. The rest is a click away.
// What is sent again at every time step is labelled once.
function placeLabels(svg, arrows, x, y, occupied) {
  const placed = [...occupied];
  const namesOf = (arrow) => [...new Set(arrow.rows.map((row) => visible(data.relations[relationOf(row)])))].join(", ");
  const look = (arrow, at) => [at, arrow.from, arrow.to, arrow.lost, arrow.late, namesOf(arrow)].join();
  const looks = new Set(arrows.map((arrow) => look(arrow, arrow.at)));
  const order = [...arrows].filter((arrow) => arrow.from !== arrow.to && !looks.has(look(arrow, arrow.at - 1))).sort((a, b) => b.lost - a.lost || b.late - a.late);
  for (const arrow of order) {
    const text = short(namesOf(arrow), 22);
    const width = text.length * 6.6 + 6, p = arrowPath(arrow, x, y);
    for (const part of [0.5, 0.35, 0.65, 0.22, 0.78]) {
      const cx = p.x1 + (p.x2 - p.x1) * part, cy = p.y1 + (p.y2 - p.y1) * part;
      const box = [cx - width / 2, cy - 8, width, 15];
      if (box[0] < GEOMETRY.left - 6 || placed.some((other) => overlaps(box, other))) continue;
      placed.push(box);
      svg.append(s("text", { class: "label message-label" + (arrow.lost ? " lost" : arrow.late ? " late" : ""), x: cx, y: cy + 3.5, "text-anchor": "middle" }, text));
      break;
    }
  }
}

// Arrows of a run that the other run does not have in the same way.
function differingArrows(run, other) {
  const key = (message) => [message.at, message.from, message.to, message.arrives, message.row].join();
  const there = new Set(other.messages.map(key));
  return new Set(run.messages.filter((m) => !there.has(key(m))).map((m) => [m.at, m.from, m.to, m.arrives].join()));
}

// Why a fact holds: a graph that unfolds as it is clicked.
const FIRST_LOOK = 16;

// Follows a row back while it merely persists: one derivation, from the same row one step earlier.
function persistedFrom(run, fact) {
  let first = fact;
  for (;;) {
    const derivations = run.derivations[first];
    const [only] = derivations;
    if (derivations.length !== 1 || only.premises.length !== 1 || only.absences.length) return first;
    const premise = run.facts[only.premises[0]];
    if (premise.row !== run.facts[first].row || premise.time !== run.facts[first].time - 1) return first;
    first = only.premises[0];
  }
}

class Lineage {
  // A fact stands for the whole span of time from which it persists: `last` is when that ends.
  constructor(run, goals, other, fold, absences) {
    Object.assign(this, { run, other, fold, absences, expanded: new Set(), last: new Map(), known: new Map() });
    this.goals = goals.map((goal) => this.source(goal));
    this.collapse();
  }
  source(fact) {
    const source = this.fold ? persistedFrom(this.run, fact) : fact;
    this.last.set(source, Math.max(this.last.get(source) ?? 0, this.run.facts[fact].time));
    return source;
  }
  children(fact) {
    if (!this.known.has(fact)) {
      this.known.set(fact, [...new Set(this.run.derivations[fact].flatMap((d) => d.premises).map((premise) => this.source(premise)))]);
    }
    return this.known.get(fact);
  }
  // Breadth first from the goals, until about `max` facts are shown.
  expand(max) {
    const seen = new Set(this.goals), queue = [...this.goals];
    for (let i = 0; i < queue.length && seen.size < max; i++) {
      this.expanded.add(queue[i]);
      for (const child of this.children(queue[i])) if (!seen.has(child)) { seen.add(child); queue.push(child); }
    }
  }
  collapse() { this.expanded.clear(); this.expand(FIRST_LOOK); }
  // How many facts there are in all.
  size() {
    const seen = new Set(this.goals), queue = [...this.goals];
    for (let i = 0; i < queue.length; i++) {
      for (const child of this.children(queue[i])) if (!seen.has(child)) { seen.add(child); queue.push(child); }
    }
    return seen.size;
  }
  toggle(fact) { if (!this.expanded.delete(fact)) this.expanded.add(fact); }

  // The graph as shown: facts, a dot per way where there are several, and what had to be absent.
  shown() {
    const nodes = [], edges = [], index = new Map();
    const box = (key, node) => {
      if (!index.has(key)) { index.set(key, nodes.length); nodes.push({ id: key, ...node }); }
      return index.get(key);
    };
    const factBox = (fact) => {
      const { row, time: first } = this.run.facts[fact], time = this.last.get(fact);
      const gone = this.other?.full && !holds(this.other, row, time);
      const hidden = this.expanded.has(fact) ? 0 : this.children(fact).length;
      const text = (gone ? "✗ " : "") + short(rowText(row), 44);
      const when = (first === time ? `@${time}` : `@${first}–${time}`) + (hidden ? `  +${hidden}` : "");
      return box(fact, { kind: "fact", fact, text, when, width: Math.max(60, (text.length + when.length + 2) * 6.9 + 14), height: 26 });
    };
    const queue = [...this.goals], seen = new Set(queue);
    for (let i = 0; i < queue.length; i++) {
      const fact = queue[i], at = factBox(fact);
      if (!this.expanded.has(fact)) continue;
      const derivations = this.run.derivations[fact];
      derivations.forEach((derivation, number) => {
        let from = at;
        if (derivations.length > 1) {
          from = box(`${fact}/${number}`, { kind: "way", rule: derivation.rule, width: 14, height: 14 });
          edges.push([at, from]);
        }
        for (const premise of new Set(derivation.premises.map((each) => this.source(each)))) {
          edges.push([from, factBox(premise)]);
          if (!seen.has(premise)) { seen.add(premise); queue.push(premise); }
        }
        if (this.absences) for (const row of derivation.absences) {
          const text = "no " + short(rowText(row), 40);
          edges.push([from, box(`${fact}/no/${row}`, { kind: "absence", text, when: "", width: text.length * 6.9 + 14, height: 24 })]);
        }
      });
    }
    return { nodes, edges };
  }
}

function drawLineage(lineage, select, redraw, focus) {
  const { nodes, edges } = lineage.shown();
  const { items, routes, height } = layered(nodes, edges);
  let left = Infinity, right = -Infinity;
  for (const item of items) {
    left = Math.min(left, item.x - item.width / 2);
    right = Math.max(right, item.x + item.width / 2);
  }
  const width = right - left + 40;
  const svg = s("svg", { class: "lineage", viewBox: `${left - 20} -16 ${width} ${height + 20}`, width, height: height + 20, role: "tree", "aria-label": "Lineage: why the outcome holds" });
  const lines = s("g", { class: "edges" });
  for (const route of routes) {
    const points = route.map((index) => items[index]);
    let path = "";
    points.forEach((to, i) => {
      if (i === 0) { path = `M${to.x.toFixed(1)} ${(to.y + to.height / 2).toFixed(1)}`; return; }
      const from = points[i - 1], y1 = from.y + from.height / 2, y2 = to.y - to.height / 2, bend = (y2 - y1) / 2;
      path += `C${from.x.toFixed(1)} ${(y1 + bend).toFixed(1)} ${to.x.toFixed(1)} ${(y2 - bend).toFixed(1)} ${to.x.toFixed(1)} ${y2.toFixed(1)}`;
    });
    lines.append(s("path", { class: "edge", d: path }));
  }
  svg.append(lines);
  for (const item of items) {
    if (item.kind === "fact") svg.append(factNode(lineage, item, select, redraw, focus));
    else if (item.kind === "way") svg.append(s("circle", { class: "way", cx: item.x, cy: item.y, r: 5 }, s("title", null, "one way: " + visible(data.rules[item.rule].t))));
    else if (item.kind === "absence") svg.append(labelledBox("absence", item));
  }
  return { svg, count: nodes.filter((node) => node.kind === "fact").length };
}

function labelledBox(kind, item, ...more) {
  return s("g", { class: kind }, ...more,
    s("rect", { x: item.x - item.width / 2, y: item.y - item.height / 2, width: item.width, height: item.height, rx: 5 }),
    s("text", { x: item.x, y: item.y + 4, "text-anchor": "middle" }, item.text, item.when ? s("tspan", { class: "when", dx: 6 }, item.when) : null));
}

function factNode(lineage, item, select, redraw, focus) {
  const { run, other } = lineage, fact = item.fact, { row } = run.facts[fact], time = lineage.last.get(fact);
  const children = lineage.children(fact).length, open = lineage.expanded.has(fact);
  const gone = other && other.full && !holds(other, row, time);
  const group = labelledBox("fact" + (gone ? " gone" : "") + (children ? "" : " leaf") + (children && !open ? " closed" : ""), item,
    s("title", null, `${rowText(row)} at time ${time}` + (gone ? `: not in run ${other.number}` : "")));
  group.setAttribute("tabindex", 0);
  group.setAttribute("role", "treeitem");
  group.setAttribute("data-fact", fact);
  if (children) group.setAttribute("aria-expanded", open);
  const act = () => { select({ fact, run }); if (children) { lineage.toggle(fact); redraw(fact); } };
  group.addEventListener("click", act);
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    act();
  });
  if (focus === fact) requestAnimationFrame(() => group.focus({ preventScroll: true }));
  return group;
}

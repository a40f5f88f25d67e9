// The other views of a run.
const picker = (label, options, chosen, change) => h("label", null, label + " ",
  h("select", { onchange: (event) => change(event.target.value) }, options.map(([key, text]) => h("option", { value: key, selected: String(key) === String(chosen) }, text))));
const runLabel = (n) => `run ${n}${data.runs[n].f.length ? ": " + short(faultKey[n], 40) : " (no faults)"}`;
const otherPicker = (run, needFull) => picker("compared with",
  [["", "nothing"], ...Object.keys(data.kept).filter((n) => Number(n) !== run.number && (!needFull || data.kept[n].full)).map((n) => [n, runLabel(n)])],
  state.other ?? "", (chosen) => { state.other = chosen === "" ? null : Number(chosen); state.lineage = null; render(); });

// ---- lineage
function goalsOf(run, other) {
  const goals = [];
  const add = (from, against, relation, wanted, note) => {
    for (const row of relation === null ? [] : rowsOf(from, relation, data.eot)) {
      if (wanted(row)) goals.push({ run: from, against, fact: from.held.get(row).get(data.eot), text: rowText(row) + note });
    }
  };
  if (other?.full) add(other, run, data.answered, (row) => !holds(run, row, data.eot), `: missing here, lineage in run ${other.number}`);
  add(run, other, data.answered, () => true, "");
  add(run, other, data.asked, () => true, "");
  return goals;
}

function viewLineage(run, other) {
  if (!run.full) return notKept(run.number, "The lineage of this run was not kept; that of counterexamples and of the runs they are compared with is.");
  const goals = goalsOf(run, other);
  if (!goals.length) return h("p", { class: "empty" }, "Nothing holds at the end of this run.");
  const options = state.lineage || (state.lineage = { goal: 0, fold: true, absences: true, graph: null, zoom: 1 });
  const goal = goals[Math.min(options.goal, goals.length - 1)];
  options.graph ||= new Lineage(goal.run, [goal.fact], goal.against, options.fold, options.absences);
  const canvas = h("div", { class: "canvas", tabindex: 0, "aria-label": "Lineage; scroll to move" });
  const count = h("span", { class: "count" });
  const total = options.graph.size();
  let svg;
  const zoom = (factor) => {
    options.zoom = factor === 0 ? Math.min(1, (canvas.clientWidth - 20) / svg.viewBox.baseVal.width) : Math.max(0.05, Math.min(3, options.zoom * factor));
    svg.setAttribute("width", svg.viewBox.baseVal.width * options.zoom);
    svg.setAttribute("height", svg.viewBox.baseVal.height * options.zoom);
  };
  const draw = (focus) => {
    const before = focus === undefined ? null : canvas.querySelector(`[data-fact="${focus}"]`)?.getBoundingClientRect();
    const drawn = drawLineage(options.graph, (what) => show(run, other, what), draw, focus);
    svg = drawn.svg;
    canvas.replaceChildren(svg);
    zoom(1);
    count.textContent = `${drawn.count} of ${plural(total, "fact")} shown`;
    if (before) {
      const after = canvas.querySelector(`[data-fact="${focus}"]`).getBoundingClientRect();
      canvas.scrollBy(after.left - before.left, after.top - before.top);
    } else {
      const root = canvas.querySelector(`[data-fact="${options.graph.goals[0]}"]`)?.getBoundingClientRect();
      if (root) canvas.scrollLeft += root.left + root.width / 2 - canvas.getBoundingClientRect().left - canvas.clientWidth / 2;
    }
  };
  const change = (part) => { Object.assign(options, part, { graph: null }); render(); };
  const button = (text, act, title) => h("button", { type: "button", onclick: act, title }, text);
  const tools = h("div", { class: "tools" },
    picker("why", goals.map((g, i) => [i, short(g.text, 70)]), options.goal, (chosen) => change({ goal: Number(chosen) })),
    h("label", null, h("input", { type: "checkbox", checked: options.fold, onchange: (e) => change({ fold: e.target.checked }) }), " fold what merely persists"),
    h("label", null, h("input", { type: "checkbox", checked: options.absences, onchange: (e) => change({ absences: e.target.checked }) }), " what had to be absent"),
    button("unfold all", () => { options.graph.expand(Infinity); draw(); }), button("fold", () => { options.graph.collapse(); draw(); }),
    button("−", () => zoom(0.8), "smaller"), button("+", () => zoom(1.25), "larger"), button("fit", () => zoom(0), "fit the width"), otherPicker(run, true), count);
  requestAnimationFrame(() => draw());
  return [tools, canvas, h("ul", { class: "legend" }, h("li", null, "Above: what holds. Below: what it follows from. ○: one of several ways."),
    h("li", null, "+n: click to unfold"), goal.against?.full ? h("li", { class: "bad" }, `✗ dashed: not in run ${goal.against.number}`) : null)];
}

// ---- tables
const filters = { node: -1, text: "", differences: false };
function viewTables(run, other) {
  if (!run.full) return notKept(run.number, "The tables of this run were not kept.");
  const against = other?.full ? other : null;
  const area = h("div", { class: "tables" });
  const fillArea = () => area.replaceChildren(...[drawTables(run, against, filters)].flat());
  fillArea();
  return [h("div", { class: "tools" },
    picker("node", [[-1, "all"], ...data.nodes.map((_, n) => [n, nodeName(n)])], filters.node, (chosen) => { filters.node = Number(chosen); fillArea(); }),
    h("label", null, "rows with ", h("input", { type: "search", value: filters.text, oninput: (e) => { filters.text = e.target.value; fillArea(); } })),
    against ? h("label", null, h("input", { type: "checkbox", checked: filters.differences, onchange: (e) => { filters.differences = e.target.checked; fillArea(); } }), " only what differs") : null,
    otherPicker(run, true)), area,
    h("ul", { class: "legend" }, h("li", null, "● holds"), against ? [h("li", null, `+ only here`), h("li", { class: "bad" }, `✗ missing: holds in run ${against.number}`)] : null)];
}

// ---- side by side
function viewCompare(run, other) {
  const tools = h("div", { class: "tools" }, otherPicker(run, false));
  if (!other) return [tools, h("p", { class: "empty" }, "Choose a run to compare with.")];
  const side = (one, against, title) => h("figure", null, h("figcaption", null, title),
    h("div", { class: "scroll" }, drawSpaceTime(one, { select: (what) => show(one, against, what), other: against, available: (byId("view").clientWidth - 14) / 2 })));
  return [tools, h("div", { class: "sides" }, side(run, other, "This run: " + runLabel(run.number)), side(other, run, "Beside it: " + runLabel(other.number))),
    h("h3", null, "What differs"), run.full && other.full ? drawTables(run, other, { node: -1, text: "", differences: true }) : h("p", { class: "empty" }, "The tables of these runs were not kept."),
    legend(run, other)];
}

// ---- start
for (const header of document.querySelectorAll("#runs th[data-sort]")) {
  header.querySelector("button").addEventListener("click", () => {
    const key = header.dataset.sort;
    state.sort = [key, state.sort[0] === key ? -state.sort[1] : 1];
    listRuns();
  });
}
byId("filter").addEventListener("input", (event) => { state.text = event.target.value; listRuns(); });
byId("outcome").addEventListener("change", (event) => { state.outcome = event.target.value; listRuns(); });
byId("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  theme(dark ? "light" : "dark");
});
byId("tabs").append(...Object.entries(VIEWS).map(([view, name]) =>
  h("button", { role: "tab", type: "button", "data-view": view, "aria-controls": "view", onclick: () => open(state.run, view) }, name)));
byId("tabs").addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by) return;
  event.stopPropagation();
  const views = Object.keys(VIEWS), next = views[(views.indexOf(state.view) + by + views.length) % views.length];
  open(state.run, next);
  document.querySelector(`[role=tab][data-view=${next}]`).focus();
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const inList = event.target.closest?.("#runs");
  if (event.key === "/") { event.preventDefault(); byId("filter").focus(); }
  else if (event.key === "j" || (inList && event.key === "ArrowDown")) { event.preventDefault(); step(1); }
  else if (event.key === "k" || (inList && event.key === "ArrowUp")) { event.preventDefault(); step(-1); }
  else if (/^[1-4]$/.test(event.key)) open(state.run, Object.keys(VIEWS)[event.key - 1]);
});
for (const link of document.querySelectorAll("[data-open-run]")) {
  link.addEventListener("click", () => { open(Number(link.dataset.openRun), link.dataset.view); byId("run").scrollIntoView(); });
}
listRuns();
const asked = /^#run-(\d+)\/(\w+)$/.exec(location.hash);
if (asked && VIEWS[asked[2]]) state.view = asked[2];
if (data.runs.length) open(asked && data.runs[asked[1]] ? Number(asked[1]) : data.open ?? data.counterexamples[0] ?? 0);
else byId("run").hidden = true;

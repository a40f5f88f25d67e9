// The page: the list of runs, the run that is open, its views.
const state = { run: null, other: null, view: "diagram", sort: ["n", 1], outcome: "", text: "", lineage: null };
const VIEWS = { diagram: "Space-time", lineage: "Lineage", tables: "Tables", compare: "Compare" };

function theme(choice) {
  if (choice) document.documentElement.dataset.theme = choice;
  else delete document.documentElement.dataset.theme;
  try { choice ? localStorage.setItem("linchpin-theme", choice) : localStorage.removeItem("linchpin-theme"); } catch { /* no storage */ }
}
try { const kept = localStorage.getItem("linchpin-theme"); if (kept) theme(kept); } catch { /* no storage */ }

// ---- the list of runs
const MARKS = { good: "✓", bad: "✗", vacuous: "○", inconclusive: "?" };
const rowElements = data.runs.map((run, number) => {
  const faults = run.f.length ? run.f.map(faultText).join(", ") : "no faults";
  const counterexample = data.counterexamples.includes(number);
  return h("tr", { tabindex: -1, "data-run": number, class: `outcome-${run.o}`, onclick: () => open(number) },
    h("td", { class: "number" }, String(number)),
    h("td", { class: "outcome" }, `${MARKS[run.o]} ${run.o}`, counterexample ? h("span", { class: "tag", title: "minimal counterexample" }, "minimal") : null),
    h("td", { class: "faults" }, h("bdi", null, faults)));
});
const faultKey = data.runs.map((run) => run.f.map(faultText).join(", "));

function listRuns() {
  const text = state.text.toLowerCase();
  const [key, direction] = state.sort;
  const compare = {
    n: (a, b) => a - b,
    o: (a, b) => (data.runs[a].o < data.runs[b].o ? -1 : data.runs[a].o > data.runs[b].o ? 1 : a - b),
    f: (a, b) => data.runs[a].f.length - data.runs[b].f.length || (faultKey[a] < faultKey[b] ? -1 : faultKey[a] > faultKey[b] ? 1 : a - b),
  }[key];
  const shown = data.runs.map((_, n) => n).filter((n) =>
    (!state.outcome || data.runs[n].o === state.outcome) && (!text || `${n} ${data.runs[n].o} ${faultKey[n]}`.toLowerCase().includes(text)));
  shown.sort((a, b) => direction * compare(a, b));
  byId("runs-body").replaceChildren(...shown.map((n) => rowElements[n]));
  byId("runs-count").textContent = shown.length === data.runs.length ? plural(shown.length, "run") : `${shown.length} of ${plural(data.runs.length, "run")}`;
  for (const header of document.querySelectorAll("#runs th[data-sort]")) {
    header.setAttribute("aria-sort", header.dataset.sort === key ? (direction > 0 ? "ascending" : "descending") : "none");
  }
}

function step(by) {
  const shown = [...byId("runs-body").children].map((row) => Number(row.dataset.run));
  const next = shown[Math.max(0, Math.min(shown.length - 1, shown.indexOf(state.run) + by))];
  if (next !== undefined) { open(next); rowElements[next].focus(); }
}

// ---- the run that is open
function open(number, view) {
  if (!(number in data.runs)) return;
  if (state.run !== null) { rowElements[state.run].removeAttribute("aria-current"); rowElements[state.run].tabIndex = -1; }
  if (state.run !== number) { state.lineage = null; state.other = data.nearest[number] ?? 0; if (state.other === number) state.other = null; }
  state.run = number;
  state.view = view || state.view;
  rowElements[number].setAttribute("aria-current", "true");
  rowElements[number].tabIndex = 0;
  rowElements[number].scrollIntoView({ block: "nearest" });
  try { history.replaceState(null, "", `#run-${number}/${state.view}`); } catch { /* opened from disk */ }
  render();
}

function render() {
  const run = data.runs[state.run];
  byId("run-title").replaceChildren(`Run ${state.run} `, h("span", { class: `badge ${run.o}` }, `${MARKS[run.o]} ${run.o}`));
  byId("run-faults").replaceChildren(...(run.f.length ? run.f.map((f) => h("li", null, h("bdi", null, faultText(f)))) : [h("li", null, "no faults")]));
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.dataset.view === state.view;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
  }
  byId("stage").dataset.view = state.view;
  const here = detail(state.run), other = state.other === null ? null : detail(state.other);
  const view = byId("view");
  byId("panel").replaceChildren(h("p", { class: "empty" }, "Click a node, a message or a fact to see what is there."));
  if (!here) { view.replaceChildren(notKept(state.run, "Only the faults and the outcome of this run were kept.")); return; }
  view.replaceChildren(...[{ diagram: viewDiagram, lineage: viewLineage, tables: viewTables, compare: viewCompare }[state.view](here, other)].flat(Infinity));
}

// What to do about a run that is not here in full.
const notKept = (number, what) => h("div", { class: "empty" }, h("p", null, what),
  h("p", null, "To see all of it, run it once more into this report:"), h("code", { class: "replay" }, `linchpin report DIR --run ${number}`));

const viewDiagram = (run, other) => [
  h("div", { class: "scroll" }, drawSpaceTime(run, { select: (what) => show(run, other, what), other, available: byId("view").clientWidth })),
  legend(run, other),
];

function legend(run, other) {
  const asked = data.asked === null ? null : visible(data.relations[data.asked]), answered = visible(data.relations[data.answered]);
  return h("ul", { class: "legend" },
    h("li", null, "─▶ a message; it arrives at the next time step"),
    h("li", { class: "bad" }, "╌✗ a lost message"),
    run.messages.some((m) => m.late) ? h("li", { class: "late" }, "slanted ─▶ a late message; it ends where it arrives") : null,
    run.inputs.length ? h("li", null, "◆ an input with a choice; filled: chosen by the search") : null,
    run.recoveries.size ? h("li", null, "↑ a recovery; the node was down before") : null,
    run.crashes.size ? h("li", { class: "bad" }, "⊗ a crash: from then on nothing the node sends arrives") : null,
    h("li", null, asked ? `✓ ${asked} / ${answered}: holds; ✗ ${answered}: something asked for is missing` : `✓ ${answered} holds`),
    other ? h("li", null, `thick: not so in run ${other.number}`) : null);
}

function show(run, other, what) {
  const panel = byId("panel");
  if (what.node === undefined && what.input) {
    panel.replaceChildren(h("h3", null, "Input"), h("p", null, h("bdi", null, what.input)));
  } else if (what.node !== undefined) {
    panel.replaceChildren(h("h3", null, h("bdi", null, nodeName(what.node)), ` at time ${what.time}`),
      what.input ? h("p", null, h("bdi", null, what.input)) : "",
      run.full ? tuplesAt(run, other?.full ? other : null, what.node, what.time) : h("p", { class: "empty" }, "The tables of this run were not kept."));
  } else if (what.arrow) {
    const { arrow } = what;
    panel.replaceChildren(h("h3", null, h("bdi", null, nodeName(arrow.from)), " → ", h("bdi", null, nodeName(arrow.to)), ` at time ${arrow.at}`),
      h("p", { class: arrow.lost ? "bad" : "" }, arrow.lost ? "✗ lost" : (arrow.late ? "late: " : "") + arrivalText(arrow)),
      h("ul", { class: "tuples" }, arrow.rows.map((row, i) => h("li", null, h("bdi", null, rowText(row)), ruleLink(arrow.rules[i])))));
  } else {
    const { row, time } = what.run.facts[what.fact];
    const times = [...what.run.held.get(row).keys()];
    const derivations = what.run.derivations[what.fact];
    panel.replaceChildren(h("h3", null, h("bdi", null, rowText(row))), h("p", null, `at time ${time}; holds at ${ranges(times)} in run ${what.run.number}`),
      derivations.length ? h("p", null, derivations.length === 1 ? "It follows from this:" : `${derivations.length} ways lead to it:`) : h("p", null, "Given by the specification."),
      h("ul", { class: "tuples" }, derivations.slice(0, 20).map((d) => h("li", null, ruleLink(d.rule)))));
  }
}

function ruleLink(rule) {
  const { t, p, a } = data.rules[rule];
  if (!a) return h("span", { class: "count" }, t);
  return h("a", { class: "rule", href: `#${a}` }, h("code", null, visible(t)), h("span", { class: "place" }, visible(p)));
}

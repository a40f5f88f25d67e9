// Tables: every row of a relation, and at which time steps it holds.
const ROWS_MAX = 300;

function differenceAt(run, other, row, time) {
  const here = holds(run, row, time), there = other ? holds(other, row, time) : here;
  if (here && there) return ["both", other ? "●" : "●", "holds"];
  if (here) return ["only", "+", `only here, not in run ${other.number}`];
  if (there) return ["gone", "✗", `missing: it holds in run ${other.number}`];
  return ["", "", ""];
}

function differs(run, other, row) {
  for (let time = 1; time <= data.eot; time++) if (holds(run, row, time) !== holds(other, row, time)) return true;
  return false;
}

// All rows of both runs, by relation; `node` -1 is all nodes.
function rowsByRelation(run, other, node, text, onlyDifferences) {
  const rows = new Set([...run.held.keys(), ...(other ? other.held.keys() : [])]);
  const groups = new Map();
  for (const row of [...rows].sort((a, b) => a - b)) {
    if (node >= 0 && placeOf(row) !== node) continue;
    if (onlyDifferences && other && !differs(run, other, row)) continue;
    if (text && !rowText(row).toLowerCase().includes(text)) continue;
    const relation = relationOf(row);
    if (!groups.has(relation)) groups.set(relation, []);
    groups.get(relation).push(row);
  }
  return [...groups].sort((a, b) => (data.relations[a[0]] < data.relations[b[0]] ? -1 : 1));
}

function drawTables(run, other, filters) {
  const groups = rowsByRelation(run, other, filters.node, filters.text.toLowerCase(), filters.differences);
  if (!groups.length) return h("p", { class: "empty" }, filters.differences ? "Nothing differs." : "No such rows.");
  const times = Array.from({ length: data.eot }, (_, i) => i + 1);
  return groups.map(([relation, rows]) => h("details", { class: "relation", open: rows.length <= 40 },
    h("summary", null, h("bdi", null, visible(data.relations[relation])), h("span", { class: "count" }, plural(rows.length, "row"))),
    h("div", { class: "scroll" }, h("table", { class: "grid-table" },
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "row"), times.map((time) => h("th", { scope: "col" }, String(time))))),
      h("tbody", null, rows.slice(0, ROWS_MAX).map((row) => h("tr", null,
        h("th", { scope: "row" }, h("bdi", null, rowText(row))),
        times.map((time) => { const [kind, mark, title] = differenceAt(run, other, row, time); return h("td", { class: kind, title: title || null }, mark); })))))),
    rows.length > ROWS_MAX ? h("p", { class: "empty" }, `… and ${rows.length - ROWS_MAX} more; narrow the filter.`) : null));
}

// What is at a node at a time step, for the panel.
function tuplesAt(run, other, node, time) {
  const rows = [...new Set([...run.held.keys(), ...(other ? other.held.keys() : [])])].filter((row) => placeOf(row) === node);
  const items = rows.sort((a, b) => (rowText(a) < rowText(b) ? -1 : 1)).flatMap((row) => {
    const [kind, , title] = differenceAt(run, other, row, time);
    if (!kind) return [];
    const fresh = kind !== "gone" && time > 1 && !holds(run, row, time - 1);
    return [h("li", { class: kind, title }, h("span", { class: "mark", "aria-hidden": "true" }, kind === "gone" ? "✗" : kind === "only" ? "+" : fresh ? "new" : "·"), h("bdi", null, rowText(row)))];
  });
  return items.length ? h("ul", { class: "tuples" }, items) : h("p", { class: "empty" }, "Nothing.");
}

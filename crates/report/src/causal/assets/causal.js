// The open run: pages of events, filters, and what a chosen event knows and influences.
const PAGE = 300;
const state = { run: null, page: 0, all: false, filter: "", chosen: null };

function reach(start, neighbours) {
  const seen = new Set([start]), open = [start];
  while (open.length > 0) {
    for (const next of neighbours[open.pop()]) {
      if (!seen.has(next)) { seen.add(next); open.push(next); }
    }
  }
  return seen;
}

function draw() {
  const run = graphOf(runOf(state.run));
  const rows = rowsOfRun(run, state.all, state.filter);
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  state.page = Math.min(state.page, pages - 1);
  const page = rows.slice(state.page * PAGE, (state.page + 1) * PAGE);
  const past = state.chosen === null ? null : reach(state.chosen, run.before);
  const future = state.chosen === null ? null : reach(state.chosen, run.after);
  const tone = (event) => !past ? "" : event === state.chosen ? " chosen" : past.has(event) ? " past" : future.has(event) ? " future" : " concurrent";
  byId("view").replaceChildren(drawRun(run, page, { lanes: lanesOf(run, rows), available: byId("view").clientWidth - 10, tone, choose }));
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
  byId("choice").value = String(number);
  for (const part of document.querySelectorAll("[data-run]")) part.hidden = Number(part.dataset.run) !== number;
  choose(null);
}

// Brings an event of the open run into sight, and chooses it.
function reveal(event) {
  Object.assign(state, { all: false, filter: "", chosen: null });
  byId("filter").value = "";
  byId("all").checked = false;
  const rows = rowsOfRun(graphOf(runOf(state.run)), false, ""), at = Math.max(0, rowOf(rows, event));
  state.page = Math.floor(at / PAGE);
  choose(rows[at]);
  byId("run").scrollIntoView();
  const view = byId("view");
  view.scrollTop = TOP + ROW * (at % PAGE) - view.clientHeight / 2;
}

if (data.runs.length > 0) {
  byId("choice").addEventListener("change", (event) => open(Number(event.target.value)));
  byId("filter").addEventListener("input", (event) => { state.filter = event.target.value; state.page = 0; draw(); });
  byId("all").addEventListener("change", (event) => { state.all = event.target.checked; state.page = 0; draw(); });
  byId("previous").addEventListener("click", () => { state.page--; draw(); });
  byId("next").addEventListener("click", () => { state.page++; draw(); });
  open(data.runs[0].run);
  for (const figure of document.querySelectorAll("[data-beside]")) fillHalf(figure);
}
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

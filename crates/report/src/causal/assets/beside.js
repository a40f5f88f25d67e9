// Two runs beside each other: each drawn around the first event that the other has not.
const ABOVE = 10, BELOW = 20, MORE = 20;

function fillHalf(figure) {
  const found = runOf(Number(figure.dataset.beside));
  if (!found) return;
  const run = graphOf(found), rows = rowsOfRun(run, false, "");
  if (rows.length === 0) return;
  const parted = [...run.parted.keys()], struck = run.marks.faults.map(([, event]) => event);
  const start = parted.length ? Math.min(...parted) : struck.length ? Math.min(...struck) : rows[rows.length - 1];
  const at = rowOf(rows, start);
  // Faults just before are part of what is to be seen.
  const near = struck.map((event) => rowOf(rows, event)).filter((row) => row <= at && row > at - ABOVE * 2);
  let from = Math.max(0, Math.min(at, ...near) - ABOVE), to = Math.min(rows.length, at + BELOW + 1);
  const stage = h("div", { class: "scroll" });
  const button = (text, act) => h("button", { type: "button", onclick: act }, text);
  const before = button("", () => { from = Math.max(0, from - MORE); redraw(); });
  const after = button("", () => { to = Math.min(rows.length, to + MORE); redraw(); });
  const redraw = () => {
    const page = rows.slice(from, to);
    stage.replaceChildren(drawRun(run, page, { lanes: lanesOf(run, rows), available: stage.clientWidth || figure.clientWidth,
      tone: () => "", choose: (event) => show(run.run, event) }));
    before.textContent = `▲ ${plural(from, "event")} before`;
    after.textContent = `▼ ${plural(rows.length - to, "event")} after`;
    before.hidden = from === 0;
    after.hidden = to === rows.length;
  };
  const whole = button(`open run ${run.run} here, whole`, () => show(run.run, start));
  figure.append(h("div", { class: "tools" }, before), stage, h("div", { class: "tools" }, after, whole));
  redraw();
  addEventListener("resize", redraw);
}

// Opens a run in full, at an event.
function show(number, event) {
  open(number);
  reveal(event);
}

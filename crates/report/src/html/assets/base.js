// Small helpers. Everything shown goes in as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);
const byId = (id) => document.getElementById(id);

// Control characters and marks that turn the direction of writing are spelled out.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const visible = (text) =>
  text.replace(INVISIBLE, (c) => "\\u{" + c.codePointAt(0).toString(16) + "}");
const short = (text, max) => (text.length > max ? text.slice(0, max - 1) + "…" : text);

const value = (v) =>
  typeof v === "number" ? String(v)
    : v.startsWith("s") ? visible(JSON.stringify(v.slice(1)).replace(/\\u([0-9a-f]{4})/g, "\\u{$1}"))
    : v.slice(1);
const rowTexts = new Map();
function rowText(index) {
  if (!rowTexts.has(index)) {
    const [relation, ...values] = data.rows[index];
    rowTexts.set(index, visible(data.relations[relation]) + "(" + values.map((v) => v === null ? "_" : value(v)).join(", ") + ")");
  }
  return rowTexts.get(index);
}
const relationOf = (row) => data.rows[row][0];
// The node where a row is, if its first column names one.
const placeOf = (row) => {
  const first = data.rows[row][1];
  return typeof first === "string" && first.startsWith("s") ? data.nodes.indexOf(first.slice(1)) : -1;
};
const nodeName = (index) => (index < 0 ? "*" : visible(data.nodes[index]));
const FAULTS = [
  (a, b, at) => `omit ${nodeName(a)}→${nodeName(b)} @${at}`,
  (a, b, at) => `crash ${nodeName(a)} @${at}`,
  (a, b, at, by) => `delay ${nodeName(a)}→${nodeName(b)} @${at} by ${by}`,
  (a, b, at) => `recover ${nodeName(a)} @${at}`,
  (row, _, at) => `input ${row < 0 ? "" : rowText(row)} @${at}`,
];
const faultText = ([kind, ...rest]) => FAULTS[kind](...rest);
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function ranges(times) {
  const found = [];
  for (const time of times) {
    const last = found[found.length - 1];
    if (last && last[1] + 1 === time) last[1] = time;
    else found.push([time, time]);
  }
  return found.map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`)).join(", ");
}

// Runs kept in detail, unpacked when first looked at.
const unpacked = new Map();
function detail(number) {
  if (!(number in data.kept)) return null;
  if (!unpacked.has(number)) unpacked.set(number, unpack(number, data.kept[number]));
  return unpacked.get(number);
}

function unpack(number, packed) {
  const run = { number, full: packed.full === 1, faults: data.runs[number].f, messages: [], facts: [], derivations: [], held: new Map() };
  for (let i = 0; i < packed.m.length; i += 6) {
    const [at, from, to, row, rule, arrives] = packed.m.slice(i, i + 6);
    run.messages.push({ at, from, to, row, rule, arrives, lost: arrives === 0, late: arrives > at + 1 });
  }
  // Facts come as spans of time: row, first, last.
  for (let i = 0; i < packed.f.length; i += 3) {
    const row = packed.f[i];
    if (!run.held.has(row)) run.held.set(row, new Map());
    for (let time = packed.f[i + 1]; time <= packed.f[i + 2]; time++) {
      run.held.get(row).set(time, run.facts.length);
      run.facts.push({ row, time });
      run.derivations.push([]);
    }
  }
  // Derivations: fact, rule, number of premises, premises, number of absences, absences.
  for (let i = 0; i < packed.d.length; ) {
    const fact = packed.d[i], rule = packed.d[i + 1], count = packed.d[i + 2];
    const premises = packed.d.slice(i + 3, i + 3 + count);
    i += 3 + count;
    const absences = packed.d.slice(i + 1, i + 1 + packed.d[i]);
    i += 1 + absences.length;
    run.derivations[fact].push({ rule, premises, absences });
  }
  run.crashes = new Map(run.faults.filter((f) => f[0] === 1).map((f) => [f[1], f[3]]));
  run.recoveries = new Map(run.faults.filter((f) => f[0] === 3).map((f) => [f[1], f[3]]));
  // Each input with several ways to come, as it comes.
  run.inputs = data.inputs.map((ways) => {
    const chosen = ways.find(([row, at]) => run.faults.some((f) => f[0] === 4 && f[1] === row && f[3] === at));
    const [row, at] = chosen || ways[0];
    return { row, at, chosen: Boolean(chosen), usual: ways[0] };
  }).filter((input) => input.row >= 0);
  return run;
}
const isDown = (run, node, time) => run.crashes.has(node) && run.crashes.get(node) <= time && !(run.recoveries.get(node) <= time);
const holds = (run, row, time) => run.held.get(row)?.has(time) ?? false;
const rowsOf = (run, relation, time) =>
  [...run.held.keys()].filter((row) => relationOf(row) === relation && holds(run, row, time));
// Rows of two relations are equal if their values are.
const valuesKey = (row) => JSON.stringify(data.rows[row].slice(1));

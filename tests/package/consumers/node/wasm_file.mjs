// The module as a file, found through the package's name and compiled by the caller.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createEngine, layerNorm } from 'layernorm';

const path = fileURLToPath(import.meta.resolve('layernorm/layernorm.wasm'));
const required = createRequire(import.meta.url).resolve('layernorm/layernorm.wasm');
const module = await WebAssembly.compile(readFileSync(path));
const engine = await createEngine({ module, maxMemory: 2 ** 21 });
const rows = [
  [1, 2, 3],
  [10, 20, 60],
];
console.log(
  JSON.stringify({
    samePath: path === required,
    sameResult: JSON.stringify(engine.layerNorm(rows)) === JSON.stringify(layerNorm(rows)),
  }),
);

// Threads by import: they work, leave the rest of the process alone, and let it end.
import { configure, layerNorm, tensor } from 'layernorm';

const globals = () => Reflect.ownKeys(globalThis).length;
for (const key of Reflect.ownKeys(globalThis)) void globalThis[key];
const before = globals();

const x = Float32Array.from({ length: 600 * 1024 }, (_, i) => Math.sin(i));
const expected = layerNorm(x, { shape: [600, 1024] });
const { threads, variant, reason } = await configure({ threads: 3 });
const t = tensor(x, [600, 1024]);
let equal = 0;
for (let call = 0; call < 30; call++) {
  const y = layerNorm(t);
  if (y.array.every((value, i) => value === expected[i])) equal++;
  y.dispose();
}
console.log(JSON.stringify({ threads, variant, reason: reason ?? null, equal, globals: globals() - before }));
// The workers are still there: nobody ends them.

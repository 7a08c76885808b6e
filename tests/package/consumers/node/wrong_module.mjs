// Modules that are not the package's, one for each way not to fit.
import { createEngine, layerNorm } from 'layernorm';

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const MODULES = {
  empty: HEADER,
  // (module (import "x" "y" (func)))
  'asks for what nobody has': [...HEADER, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x78, 1, 0x79, 0, 0],
};

process.on('unhandledRejection', (reason) => console.log(`unhandled: ${reason}`));
for (const [what, bytes] of Object.entries(MODULES)) {
  const module = await WebAssembly.compile(Uint8Array.from(bytes));
  await createEngine({ module }).catch(({ name, code }) => console.log(`${what}: ${name} ${code}`));
}
await new Promise((done) => setTimeout(done, 20));
console.log(JSON.stringify(Array.from(layerNorm(Float32Array.of(1, 2, 3)))));

// '#core-bytes' for tests of single source files: the module as the build linked it.
import { readFileSync } from 'node:fs';

export default readFileSync(
  new URL('../../../build/wasm-release/bindings/layernorm.wasm', import.meta.url),
  'hex',
);

// '#core-bytes' for tests of single source files: the module as the build linked it.
import { readFileSync } from 'node:fs';
import { encodeText } from '../../../scripts/lib/wasm_text.mjs';

export default encodeText(
  readFileSync(new URL('../../../build/wasm-release/bindings/simd/layernorm.wasm', import.meta.url)),
);

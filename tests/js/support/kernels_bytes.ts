// '#kernels-bytes' for tests of single source files: the module as the build linked it.
import { readFileSync } from 'node:fs';
import { encodeText } from '../../../scripts/lib/wasm_text.mjs';

export default encodeText(
  readFileSync(
    new URL('../../../build/wasm-release/bindings/freestanding/layernorm-kernels.wasm', import.meta.url),
  ),
);

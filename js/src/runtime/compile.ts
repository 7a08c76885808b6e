import { describe, LayerNormError } from './errors.js';

/** (module (func (result v128) i32.const 0 i8x16.splat)): valid exactly where fixed-width SIMD is. */
const SIMD_PROBE = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01,
  0x00, 0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b,
];

/** Decodes hexadecimal digits, with the engine's own decoder where it has one. */
export function decodeHex(hex: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as { fromHex?: (text: string) => Uint8Array<ArrayBuffer> }).fromHex;
  if (native) return native.call(Uint8Array, hex);
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/**
 * Compiles the core, synchronously.
 * @throws {@link LayerNormError} `ERR_LOAD` that names the reason: no WebAssembly, no SIMD, a policy that forbids it
 */
export function compile(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  if (typeof WebAssembly !== 'object') {
    throw new LayerNormError('ERR_LOAD', 'load: this runtime has no WebAssembly, which layernorm needs');
  }
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw new LayerNormError('ERR_LOAD', `load: ${reasonNotCompiled(bytes, cause)}`, cause);
  }
}

/** The engines word a refusal differently, but all of them still validate what a policy forbids them to compile. */
function reasonNotCompiled(bytes: Uint8Array<ArrayBuffer>, cause: unknown): string {
  if (WebAssembly.validate(bytes)) {
    return (
      "this runtime forbids compiling WebAssembly: a Content-Security-Policy has to allow 'wasm-unsafe-eval' in " +
      'script-src; where code comes compiled only, pass it as createEngine({ module })'
    );
  }
  if (!WebAssembly.validate(new Uint8Array(SIMD_PROBE))) {
    return 'this runtime has no WebAssembly SIMD, which layernorm needs: Chrome 91, Firefox 89, Safari 16.4, Node 16.4';
  }
  return `the WebAssembly module is damaged (${bytes.length} bytes): ${describe(cause instanceof Error ? cause.message : cause)}`;
}

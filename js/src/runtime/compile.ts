import { describe, LayerNormError } from './errors.js';

/** (module (func (result v128) i32.const 0 i8x16.splat)): valid exactly where fixed-width SIMD is. */
const SIMD_PROBE = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01,
  0x00, 0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b,
];

/** Bytes that are one character in {@link decodeText}'s input. */
const SINGLE = 88;

/**
 * Decodes what scripts/lib/wasm_text.mjs made of a module: hexadecimal digits of the 256 bytes by falling frequency, then the
 * module, the first 88 of those bytes as one character each, the others as two. Characters are the printable ones of ASCII
 * but those that a string literal or a template would escape.
 */
export function decodeText(text: string): Uint8Array<ArrayBuffer> {
  const places: number[] = [];
  let characters = 0;
  for (let code = 32; code < 127; code++) {
    if (!'"\'\\`$'.includes(String.fromCharCode(code))) places[code] = characters++;
  }
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 512; at < text.length; ) {
    let place = places[text.charCodeAt(at++)] as number;
    if (place >= SINGLE) {
      place = SINGLE + (place - SINGLE) * characters + (places[text.charCodeAt(at++)] as number);
    }
    bytes[length++] = Number.parseInt(text.slice(2 * place, 2 * place + 2), 16);
  }
  return bytes.slice(0, length);
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
  if (cause instanceof RangeError) {
    return (
      'this browser compiles modules of this size in workers only (Chrome before 114): call layernorm there, or ' +
      'createEngine({ module: await WebAssembly.compile(bytes) })'
    );
  }
  if (WebAssembly.validate(bytes)) {
    return (
      "this runtime forbids compiling WebAssembly: a Content-Security-Policy has to allow 'wasm-unsafe-eval' in " +
      'script-src; where code comes compiled only, pass it as createEngine({ module })'
    );
  }
  if (!WebAssembly.validate(new Uint8Array(SIMD_PROBE))) {
    return 'this runtime has no WebAssembly SIMD, which layernorm needs: Chrome 91, Firefox 89, Safari 16.4, Node 20';
  }
  return `the WebAssembly module is damaged (${bytes.length} bytes): ${describe(cause instanceof Error ? cause.message : cause)}`;
}

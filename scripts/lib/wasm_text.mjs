// A WebAssembly module as a string of printable ASCII, for a bundle: the most frequent bytes are one character, the others
// two. Bytes stay apart, so gzip finds what repeats: as small on the wire as the file, a quarter below base64, and half as
// long as hexadecimal digits. js/src/runtime/compile.ts decodes it.

/** Printable characters but those that a string literal in quotes, or a template, would have to escape. */
const CHARACTERS = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter(
  (character) => !'"\'\\`$'.includes(character),
);
/** Bytes of one character; the characters that are left begin the others. */
const SINGLE = 88;

/** @returns {string} the 256 bytes by falling frequency as hexadecimal digits, then the characters */
export function encodeText(bytes) {
  const count = new Array(256).fill(0);
  for (const byte of bytes) count[byte]++;
  const order = count.map((_, byte) => byte).sort((a, b) => count[b] - count[a] || a - b);
  const text = [];
  for (const [place, byte] of order.entries()) {
    const rest = place - SINGLE;
    text[byte] =
      rest < 0
        ? CHARACTERS[place]
        : CHARACTERS[SINGLE + Math.floor(rest / CHARACTERS.length)] + CHARACTERS[rest % CHARACTERS.length];
  }
  return Buffer.from(order).toString('hex') + Array.from(bytes, (byte) => text[byte]).join('');
}

// Files that are almost valid, to see that a reader refuses what it does not understand, and never anything worse.

/** Numbers from 0 to below n, the same in every run. */
function randomOf(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** Copies of files with bytes changed, put in, taken out, repeated or cut off. */
export function mutants(files: readonly ArrayBuffer[], count: number): Uint8Array<ArrayBuffer>[] {
  const random = randomOf(1);
  const telling = [0, 1, 0x22, 0x27, 0x28, 0x2c, 0x2d, 0x30, 0x39, 0x5b, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xff];
  return Array.from({ length: count }, (_, i) => {
    let bytes = [...new Uint8Array(files[i % files.length] as ArrayBuffer)];
    for (let changes = 1 + random(3); changes > 0; changes--) {
      // Most of what can go wrong is in the first bytes.
      const at = random(random(2) ? Math.min(200, bytes.length) : bytes.length);
      const byte = random(2) ? (telling[random(telling.length)] as number) : random(256);
      const kind = random(12);
      if (kind < 6) bytes[at] = byte;
      else if (kind < 8) bytes.splice(at, 1 + random(4));
      else if (kind < 10) bytes.splice(at, 0, ...new Array<number>(1 + random(4)).fill(byte));
      else if (kind < 11) bytes.splice(at, 0, ...bytes.slice(at, at + random(40)));
      else bytes = bytes.slice(0, at);
    }
    return Uint8Array.from(bytes);
  });
}

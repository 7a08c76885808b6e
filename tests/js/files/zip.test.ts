import * as fflate from 'fflate';
import { crc32, isZip, openZip } from '../../../js/src/files/zip.js';
import { expectError } from '../support/errors.js';
import { expectRejection } from '../support/keras_files.js';

const TEXT = new TextEncoder().encode('{"name": "a model"}');
const NOISE = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i * 31) >>> 5);
const LIMIT = 2 ** 30;

/** Where the entry of a name begins in the directory. */
function directoryOf(zip: Uint8Array, name: string): number {
  const bytes = new TextEncoder().encode(name);
  for (let at = zip.length - 46; at >= 0; --at) {
    const isEntry = zip[at] === 0x50 && zip[at + 1] === 0x4b && zip[at + 2] === 1 && zip[at + 3] === 2;
    if (isEntry && bytes.every((byte, i) => zip[at + 46 + i] === byte)) return at;
  }
  throw new Error(`no ${name}`);
}

/** A copy with a number of some bytes put into the directory's entry of a file. */
function patched(zip: Uint8Array, name: string, offset: number, value: number, size: 2 | 4): Uint8Array {
  const copy = zip.slice();
  const view = new DataView(copy.buffer);
  const at = directoryOf(zip, name) + offset;
  if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
  return copy;
}

const [FLAGS, METHOD, CRC, PACKED, SIZE, OFFSET] = [8, 10, 16, 20, 24, 42];

describe.each([
  ['DecompressionStream', undefined],
  ['fflate', fflate],
])('with %s', (_, unzip) => {
  test.each([0, 6, 9] as const)('entries of level %i', async (level) => {
    const zip = fflate.zipSync({ 'a.json': TEXT, 'b/noise': NOISE, empty: new Uint8Array(0) }, { level });
    const archive = openZip('readAll', zip, LIMIT, unzip);
    expect(archive.names).toEqual(['a.json', 'b/noise', 'empty']);
    expect(await archive.read('a.json')).toEqual(TEXT);
    expect(await archive.read('b/noise')).toEqual(NOISE);
    expect(await archive.read('empty')).toEqual(new Uint8Array(0));
  });

  test('an entry that unpacks to more than it says is stopped there', async () => {
    const zip = fflate.zipSync({ bomb: new Uint8Array(50_000_000) }, { level: 6 });
    await expectRejection(
      openZip('readAll', patched(zip, 'bomb', SIZE, 1000, 4), LIMIT, unzip).read('bomb'),
      'ERR_FILE',
      'bomb: it unpacks to more than the 1000 bytes that the directory says',
    );
  });

  test('one that unpacks to less, and one that is damaged', async () => {
    const zip = fflate.zipSync({ noise: NOISE }, { level: 6 });
    await expectRejection(
      openZip('readAll', patched(zip, 'noise', SIZE, 100_001, 4), LIMIT, unzip).read('noise'),
      'ERR_FILE',
      'noise: it unpacks to 100000 bytes, the directory says 100001',
    );
    const damaged = zip.slice();
    damaged.fill(0xff, 40, 80);
    await expectRejection(openZip('readAll', damaged, LIMIT, unzip).read('noise'), 'ERR_FILE', /^noise: /);
  });
});

test('a view of a part of a buffer', async () => {
  const zip = fflate.zipSync({ text: TEXT }, { level: 6 });
  const larger = new Uint8Array(zip.length + 20);
  larger.set(zip, 7);
  expect(await openZip('readAll', larger.subarray(7, 7 + zip.length), LIMIT, undefined).read('text')).toEqual(
    TEXT,
  );
});

test('a comment at the end', async () => {
  const zip = fflate.zipSync({ text: TEXT });
  const longer = new Uint8Array(zip.length + 300);
  longer.set(zip);
  new DataView(longer.buffer).setUint16(zip.length - 2, 300, true);
  expect(await openZip('readAll', longer, LIMIT, undefined).read('text')).toEqual(TEXT);
});

test('sizes of 64 bits', async () => {
  const zip = fflate.zipSync({ text: [TEXT, { extra: { 1: new Uint8Array(16) }, level: 0 }] });
  const view = new DataView(zip.buffer, zip.byteOffset);
  const at = directoryOf(zip, 'text');
  view.setUint32(at + SIZE, 0xffffffff, true);
  view.setUint32(at + PACKED, 0xffffffff, true);
  const lacking = zip.slice();
  view.setBigUint64(at + 46 + 4 + 4, BigInt(TEXT.length), true);
  view.setBigUint64(at + 46 + 4 + 12, BigInt(TEXT.length), true);
  expect(await openZip('readAll', zip, LIMIT, undefined).read('text')).toEqual(TEXT);
  lacking[at + 46 + 4] = 9;
  expectError(
    () => openZip('readAll', lacking, LIMIT, undefined),
    'ERR_FILE',
    'the directory of the zip file: an entry of more than 4 GB lacks its size',
  );
});

describe('what is refused before anything is unpacked', () => {
  const zip = fflate.zipSync({ text: TEXT, noise: NOISE }, { level: 6 });
  const read = (bytes: Uint8Array, name = 'text', limit = LIMIT) =>
    openZip('readAll', bytes, limit, undefined).read(name);

  test.each<[string, Uint8Array, string | RegExp]>([
    [
      'a claim of 1 GB',
      patched(zip, 'text', SIZE, 1e9, 4),
      /^text: it unpacks from \d+ to 1000000000 bytes, .+: a zip bomb$/,
    ],
    [
      'more than the limit',
      patched(zip, 'text', SIZE, 2e9, 4),
      /^text: it unpacks to 2000000000 bytes, more than maxBytes allows/,
    ],
    [
      'another method',
      patched(zip, 'text', METHOD, 14, 2),
      'text: it is compressed by method 14, expected 0 (stored) or 8 (deflated)',
    ],
    ['encryption', patched(zip, 'text', FLAGS, 1, 2), 'text: it is encrypted'],
    [
      'stored, but of two sizes',
      patched(zip, 'text', METHOD, 0, 2),
      /^text: it is stored, but its sizes are \d+ and 19$/,
    ],
    [
      'an offset elsewhere',
      patched(zip, 'text', OFFSET, 9, 4),
      'text: there is no entry at its offset 9 in the zip file',
    ],
    [
      'an offset outside',
      patched(zip, 'text', OFFSET, 0xfffffff0, 4),
      /^text: there is no entry at its offset 4294967280/,
    ],
    [
      'a size that reaches too far',
      patched(zip, 'text', PACKED, 1e6, 4),
      /^text: its 1000000 bytes reach beyond the end/,
    ],
    [
      'another checksum',
      patched(zip, 'text', CRC, 1, 4),
      'text: its checksum does not fit: the file is damaged',
    ],
  ])('%s', async (_, bytes, message) => {
    await expectRejection(read(bytes), 'ERR_FILE', message);
  });

  test('the offset of another entry', async () => {
    const offset = new DataView(zip.buffer, zip.byteOffset).getUint32(
      directoryOf(zip, 'noise') + OFFSET,
      true,
    );
    await expectRejection(
      read(patched(zip, 'text', OFFSET, offset, 4)),
      'ERR_FILE',
      `text: the entry at its offset ${offset} has another name`,
    );
  });

  test('the limit is for all entries together', async () => {
    const archive = openZip('readAll', zip, NOISE.length + 10, undefined);
    await archive.read('noise');
    await expectRejection(
      archive.read('text'),
      'ERR_FILE',
      'text: it unpacks to 19 bytes, more than maxBytes allows (10 of 100010 are left)',
    );
  });

  test('an entry that is not there, and one that is there twice', async () => {
    await expectRejection(
      read(zip, 'config.json'),
      'ERR_FILE',
      "config.json: it is missing: the zip file holds 'text', 'noise'",
    );
    const twice = fflate.zipSync({ aaaa: TEXT, bbbb: TEXT });
    const at = directoryOf(twice, 'bbbb') + 46;
    twice.fill(0x61, at, at + 4);
    await expectRejection(read(twice, 'aaaa'), 'ERR_FILE', 'aaaa: it is in the zip file twice');
  });

  test('names that lead elsewhere are names like others, and not those that are asked for', async () => {
    const names = ['../config.json', '/config.json', 'C:\\config.json', 'constructor', './config.json'];
    const hostile = fflate.zipSync(Object.fromEntries(names.map((name) => [name, TEXT] as const)));
    await expectRejection(read(hostile, 'config.json'), 'ERR_FILE', /^config\.json: it is missing: /);
  });
});

test('every beginning of an archive is refused', async () => {
  const zip = fflate.zipSync({ text: TEXT });
  for (let size = 0; size < zip.length; ++size) {
    expectError(
      () => openZip('readAll', zip.slice(0, size), LIMIT, undefined),
      'ERR_FILE',
      /^the directory of the zip file: /,
    );
  }
});

test('a directory that is none', () => {
  const zip = fflate.zipSync({ text: TEXT });
  const end = zip.length - 22;
  const withEnd = (offset: number, value: number, size: 2 | 4): Uint8Array => {
    const copy = zip.slice();
    const view = new DataView(copy.buffer);
    if (size === 2) view.setUint16(end + offset, value, true);
    else view.setUint32(end + offset, value, true);
    return copy;
  };
  const part = 'the directory of the zip file';
  for (const [bytes, message] of [
    [withEnd(4, 1, 2), `${part}: the archive is spread over several files`],
    [withEnd(10, 2, 2), `${part}: entry 1 of 2 is none`],
    [withEnd(16, 1e9, 4), `${part}: its offset 1000000000 and size 50 lie outside the file`],
    [withEnd(16, 3, 4), `${part}: entry 0 of 1 is none`],
    [patched(zip, 'text', 28, 500, 2), `${part}: entry 0 of 1 is cut off`],
  ] as const) {
    expectError(() => openZip('readAll', bytes, LIMIT, undefined), 'ERR_FILE', message);
  }
});

test('unzip that is none', () => {
  expectError(
    () => openZip('readAll', fflate.zipSync({ text: TEXT }), LIMIT, fflate.unzipSync as never),
    'ERR_ARGUMENT',
    "readAll: unzip is a function, expected an object with a class Inflate, such as import * as fflate from 'fflate'",
  );
});

test('a runtime without DecompressionStream asks for one', async () => {
  const { DecompressionStream } = globalThis;
  Reflect.deleteProperty(globalThis, 'DecompressionStream');
  try {
    const zip = fflate.zipSync({ noise: NOISE }, { level: 6 });
    await expectRejection(
      openZip('readAll', zip, LIMIT, undefined).read('noise'),
      'ERR_ARGUMENT',
      /^readAll: noise is compressed, and this runtime has no DecompressionStream: expected unzip/,
    );
    expect(await openZip('readAll', zip, LIMIT, fflate).read('noise')).toEqual(NOISE);
  } finally {
    Object.assign(globalThis, { DecompressionStream });
  }
});

test('checksums and beginnings', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  expect(isZip(fflate.zipSync({ a: TEXT }))).toBe(true);
  expect(isZip(fflate.zipSync({}))).toBe(true);
  expect([isZip(TEXT), isZip(new Uint8Array(0))]).toEqual([false, false]);
});

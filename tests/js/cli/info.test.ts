import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { infoCommand } from '../../../js/src/cli/info.js';
import { Moments } from '../../../js/src/index.js';
import { safetensorsHeader } from '../../../js/src/io.js';
import { npyOf, temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();
const FILES: Record<string, Uint8Array | string> = {
  'x.npy': npyOf(Float32Array.of(1, 2, 3, 4), [2, 2]),
  'm.safetensors': Buffer.concat([
    safetensorsHeader(
      [
        { name: 'long.name', dtype: 'bfloat16', shape: [2, 3] },
        { name: 'b', dtype: 'int64', shape: [] },
      ],
      { format: 'pt' },
    ),
    Buffer.alloc(20),
  ]),
  't.csv': 'id\tgröße\nx\t1\n\ny\t2\n',
  'a.moments': new Moments().update(Float32Array.of(1, 2, 3, 4), { shape: [2, 2] }).toBytes(),
  'none.moments': new Moments().toBytes(),
};
for (const [name, bytes] of Object.entries(FILES)) writeFileSync(join(folder, name), bytes);

/** What the command prints of a file. */
async function infoOf(name: string, ...args: string[]): Promise<string> {
  const printed: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text, done) => {
    printed.push(`${text}`);
    (done as unknown as () => void)();
    return true;
  });
  try {
    await infoCommand([join(folder, name), ...args]);
    return printed.join('');
  } finally {
    write.mockRestore();
  }
}

test.each([
  ['x.npy', ['npy, 144 B', '  float32 [2, 2]']],
  [
    'm.safetensors',
    [
      /^safetensors, \d+ B$/,
      '  long.name  bfloat16 [2, 3], 12 B',
      '  b          int64 [], 8 B',
      '  format: pt',
    ],
  ],
  ['t.csv', ['csv, 20 B', '  2 rows, separated by tabs, with a header', '  1  id (text)', '  2  größe']],
  ['a.moments', ['moments, 96 B', '  axis -1, [2], 2 counted of each feature']],
  ['none.moments', ['moments, 16 B', '  axis -1, [0], nothing counted of each feature']],
])('%s for people', async (name, [first, ...rest]) => {
  const lines = (await infoOf(name)).split('\n');
  const head = (lines[0] as string).slice(join(folder, name).length + 2);
  if (typeof first === 'string') expect(head).toBe(first);
  else expect(head).toMatch(first as RegExp);
  expect(lines.slice(1)).toEqual([...rest, '']);
});

test('for programs', async () => {
  const file = (name: string) => join(folder, name);
  const info = async (name: string, ...args: string[]) => JSON.parse(await infoOf(name, '--json', ...args));
  expect(await info('x.npy')).toEqual({
    ...{ file: file('x.npy'), format: 'npy', bytes: 144, dtype: 'float32', shape: [2, 2] },
    ...{ fortranOrder: false, littleEndian: true },
  });
  expect(await info('m.safetensors')).toMatchObject({
    tensors: [
      { name: 'long.name', dtype: 'bfloat16', shape: [2, 3], bytes: 12 },
      { name: 'b', dtype: 'int64', shape: [], bytes: 8 },
    ],
    metadata: { format: 'pt' },
  });
  expect(await info('t.csv', '--no-header')).toMatchObject({ rows: 3, header: false, delimiter: '\t' });
  expect(await info('a.moments')).toMatchObject({ format: 'moments', axis: [-1], shape: [2], count: [2, 2] });
});

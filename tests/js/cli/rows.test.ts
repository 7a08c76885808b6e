import { type Block, bytesOf, pump, readRange } from '../../../js/src/cli/rows.js';
import { Collected } from '../support/cli.js';

describe('readRange', () => {
  test.each([
    [undefined, 10, 0, 10],
    ['2:5', 10, 2, 5],
    [':5', 10, 0, 5],
    ['2:', 10, 2, 10],
    [':', 10, 0, 10],
    ['10:10', 10, 10, 10],
    ['0/3', 10, 0, 3],
    ['1/3', 10, 3, 6],
    ['2/3', 10, 6, 10],
    ['3/4', 2, 1, 2],
    ['0/4', 2, 0, 0],
    [undefined, undefined, 0, Number.POSITIVE_INFINITY],
    ['3:', undefined, 3, Number.POSITIVE_INFINITY],
    ['3:7', undefined, 3, 7],
  ])('%s of %s rows', (text, rows, from, to) => expect(readRange(text, rows)).toEqual({ from, to }));

  test('parts cover all rows once, also where the products are beyond 2^53', () => {
    for (const [rows, parts] of [
      [10, 7],
      [2 ** 50 + 1, 1000],
    ] as const) {
      let at = 0;
      for (let i = 0; i < parts; i++) {
        const { from, to } = readRange(`${i}/${parts}`, rows);
        expect(from).toBe(at);
        at = to;
      }
      expect(at).toBe(rows);
    }
  });

  test.each([
    ['5:2', 10],
    ['0:11', 10],
    ['11:', 10],
    ['-1:2', 10],
    ['3', 10],
    ['3/3', 10],
    ['0/0', 10],
    ['1.5:2', 10],
    ['', 10],
  ])('%s of %d rows is refused', (text, rows) => expect(() => readRange(text, rows)).toThrow(/^--rows is /));

  test('parts of nobody knows how many', () => {
    expect(() => readRange('0/2', undefined)).toThrow(/not known before they are read: expected a:b$/);
  });
});

/** Blocks of one row each, in three arrays that take turns. */
async function* blocksOf(values: readonly number[], asked: number[]): AsyncGenerator<Block> {
  const buffers = [0, 1, 2].map(() => new Float32Array(1));
  for (const [i, value] of values.entries()) {
    asked.push(value);
    const data = buffers[i % 3] as Float32Array;
    data[0] = value;
    yield { rows: 1, data, encode: bytesOf };
  }
}

describe('pump', () => {
  test('keeps the order, reads ahead, and tells what has been written', async () => {
    const asked: number[] = [];
    const seen: [number, number][] = [];
    const written: number[] = [];
    const output = new Collected();
    const apply = ({ data }: Block) => {
      seen.push([data[0] as number, asked.length]);
      data[0] = (data[0] as number) * 10;
      return data as Float32Array;
    };
    await pump(blocksOf([1, 2, 3, 4, 5, 6, 7], asked), apply, 'float32', output, (rows) =>
      written.push(rows),
    );
    expect(new Float32Array(new Uint8Array(output.bytes).buffer)).toEqual(
      Float32Array.of(10, 20, 30, 40, 50, 60, 70),
    );
    expect(written).toEqual([1, 1, 1, 1, 1, 1, 1]);
    // The one after it has been asked for.
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7].map((value, i) => [value, Math.min(i + 2, 7)]));
  });

  test('after an error nothing is on its way to the output', async () => {
    const output = new Collected();
    const fail = ({ data }: Block) => {
      if (data[0] === 3) throw new Error('three');
      return data as Float32Array;
    };
    await expect(pump(blocksOf([1, 2, 3], []), fail, 'float32', output, () => {})).rejects.toThrow('three');
    expect(output.position).toBe(8);
  });

  test('errors of reading and writing arrive', async () => {
    async function* broken(): AsyncGenerator<Block> {
      yield { rows: 1, data: new Float32Array(1), encode: bytesOf };
      throw new Error('read');
    }
    const same = ({ data }: Block) => data as Float32Array;
    await expect(pump(broken(), same, 'float32', new Collected(), () => {})).rejects.toThrow('read');
    const full = new Collected();
    full.write = async () => {
      throw new Error('full');
    };
    await expect(pump(blocksOf([1, 2, 3], []), same, 'float32', full, () => {})).rejects.toThrow('full');
  });
});

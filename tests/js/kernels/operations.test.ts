import { instantiate } from '../../../js/src/kernels/module.js';
import { OPERATIONS } from '../../../js/src/kernels/operations.js';

const { exports } = instantiate('test', new WebAssembly.Memory({ initial: 3 }));

const SIZES = { axes: 3, channels: 3, groups: 5, matrix: 2, skip: 4, prefix: 3 };

test.each(Object.entries(OPERATIONS))(
  '%s hands on as many values as the core takes',
  (name, { layout, items }) => {
    const values = items.map(({ kind }) => {
      if (kind === 'layout') return SIZES[layout];
      return kind === 'workspace' || kind === 'mask' ? 2 : 1;
    });
    expect(1 + values.reduce((a, b) => a + b, 0)).toBe((exports[name] as () => number).length);
  },
);

test('every function of the module is used', () => {
  const used = Object.entries(OPERATIONS).flatMap(([name, { workspace }]) => [name, workspace]);
  const functions = Object.keys(exports).filter((name) => name !== '__stack_pointer' && name !== 'version');
  expect([...new Set(used.filter((name) => name !== undefined))].sort()).toEqual(functions.sort());
});

// What stands after the # of the page.

import { formatAddress, parseAddress, States } from '../../../web-demo/src/app/address.js';

test.each([
  ['', '', {}],
  ['#', '', {}],
  ['#speed', 'speed', {}],
  ['#explore?method=rms&axis=0,1', 'explore', { method: 'rms', axis: '0,1' }],
  ['#explore?x=1%2C2&file=a%20b.npy', 'explore', { x: '1,2', file: 'a b.npy' }],
  ['#explore?a=1?b=2', 'explore', { a: '1?b=2' }],
  ['#explore?%', 'explore', { '%': '' }],
])('%p is read', (hash, view, state) => {
  const address = parseAddress(hash);
  expect(address.view).toBe(view);
  expect(Object.fromEntries(address.state)).toEqual(state);
});

test('commas and colons stay as they are, all else is escaped', () => {
  const state = new URLSearchParams({ x: '1,2', when: '1:2', file: 'a&b #1?.npy' });
  const hash = formatAddress({ view: 'explore', state });
  expect(hash).toBe('#explore?x=1,2&when=1:2&file=a%26b+%231%3F.npy');
  expect(Object.fromEntries(parseAddress(hash).state)).toEqual(Object.fromEntries(state));
});

test('a view without a state is its name', () => {
  expect(formatAddress({ view: 'speed', state: new URLSearchParams() })).toBe('#speed');
});

test('each view has a state of its own, and says when it writes', () => {
  const written: string[] = [];
  const states = new States((view) => written.push(view));
  const [one, other] = [states.of('one'), states.of('other')];
  one.set({ a: '1', b: '2' });
  one.set({ a: undefined });
  other.set({ a: '3' });
  expect([one.get('a'), one.get('b'), other.get('a')]).toEqual([undefined, '2', '3']);
  expect(written).toEqual(['one', 'one', 'other']);
  states.replace('one', new URLSearchParams('c=4'));
  expect([one.get('b'), one.get('c')]).toEqual([undefined, '4']);
  expect(written).toHaveLength(3);
});

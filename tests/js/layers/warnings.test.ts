import { jest } from '@jest/globals';
import { setWarningHandler } from 'layernorm';
import { setWarningHandler as setOwnHandler, warnOnce } from '../../../js/src/layers/warnings.js';

test('a handler hears each warning once, a new one once again', () => {
  const heard: string[] = [];
  setOwnHandler((message) => heard.push(`a ${message}`));
  for (const message of ['x', 'y', 'x']) warnOnce(message);
  setOwnHandler((message) => heard.push(`b ${message}`));
  warnOnce('x');
  expect(heard).toEqual(['a x', 'a y', 'b x']);
});

test('the console is the default', () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
  setOwnHandler(null);
  warnOnce('z');
  expect(warn.mock.calls).toEqual([['z']]);
  warn.mockRestore();
});

test('the package has it', () => {
  expect(typeof setWarningHandler).toBe('function');
});

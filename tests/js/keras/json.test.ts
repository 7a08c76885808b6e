import {
  asList,
  asObject,
  asText,
  isObject,
  parseJson,
  parseText,
  shown,
} from '../../../js/src/keras/json.js';
import { expectError } from '../support/errors.js';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test('an object of JSON', () => {
  expect(parseJson('config.json', encode('{"a": [1, "ä", null]}'))).toEqual({ a: [1, 'ä', null] });
});

test.each<[string, string | RegExp]>([
  ['', /^config\.json: it is no JSON \('.+'\)$/],
  ['{"a": NaN}', /^config\.json: it is no JSON/],
  ['{"a": 1', /^config\.json: it is no JSON/],
  ['[1]', 'config.json: the whole is [1], expected an object'],
  ['null', 'config.json: the whole is null, expected an object'],
  ['"text"', "config.json: the whole is 'text', expected an object"],
  ['{"a": {"__proto__": {"layers": []}}}', "config.json: it has a key '__proto__', which no model has"],
  [
    `{"a": ${'['.repeat(300)}${']'.repeat(300)}}`,
    'config.json: its values lie more than 200 deep in each other',
  ],
  [
    `{"a": ${'['.repeat(5e5)}${']'.repeat(5e5)}}`,
    /^config\.json: (its values lie more than 200 deep|it is no JSON)/,
  ],
  [`[${'0,'.repeat(2_000_001)}0]`, 'config.json: it has more than 2000000 values'],
])('%.40s is refused', (text, message) => {
  expectError(() => parseText('config.json', text), 'ERR_FILE', message);
});

test('bytes that are no text', () => {
  expectError(
    () => parseJson('config.json', Uint8Array.of(0x7b, 0xff, 0x7d)),
    'ERR_FILE',
    'config.json: it is no UTF-8 text',
  );
});

test('values of a kind', () => {
  expect(asObject('p', 'it', { a: 1 })).toEqual({ a: 1 });
  expect(asList('p', 'it', [1])).toEqual([1]);
  expect(asText('p', 'it', 'a')).toBe('a');
  expectError(() => asObject('p', 'it', [1]), 'ERR_FILE', 'p: it is [1], expected an object');
  expectError(() => asList('p', 'it', { length: 1 }), 'ERR_FILE', 'p: it is an Object, expected a list');
  expectError(() => asText('p', 'it', 7), 'ERR_FILE', 'p: it is 7, expected a string');
  expect([isObject({}), isObject([]), isObject(null)]).toEqual([true, false, false]);
});

test('messages show no control characters and no end of long names', () => {
  expect(shown('a\n\u001b[2J')).toBe("'a\\n\\u001b[2J'");
  expect(shown('x'.repeat(200))).toBe(`'${'x'.repeat(77)}...'`);
  expect(shown(undefined)).toBe('undefined');
});

// The page about errors has all that is thrown, and nothing that is not.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { textOf } from './support/guide.mjs';
import { codes, messages } from './support/messages.mjs';

const { thrown, texts } = messages();

/** The messages that the page quotes, by code: the first cell of each row of the section's table. */
const sections = new Map(
  textOf('errors.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => [
      section.split('\n', 1)[0],
      [...section.matchAll(/^\| (`+)(.*?)\1 +\|/gm)].map(([, , message]) => message),
    ]),
);

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const pattern = (quote) => quote.split('…').map(escaped).join('.*');
/** Whether a quote is of a message: the whole of it, or words from it where it does not begin with the operation. */
const quotes = (quote, message) =>
  new RegExp(quote.startsWith('…') ? `^${pattern(quote)}` : pattern(quote)).test(message);

/** A message without words of its own: where it is put together, they are among the texts. */
const PUT_TOGETHER = /^(?:(?:…|\w+): )?…$/;

describe('the page about errors', () => {
  test('has a section for each code, and for nothing else', () => {
    assert.deepEqual([...sections.keys()], codes());
  });

  for (const [code, quoted] of sections) {
    test(`${code}: each message that is quoted occurs in the sources`, () => {
      assert.ok(quoted.length > 0);
      const own = thrown
        .filter((one) => one.code === code || one.code === undefined)
        .flatMap((one) => one.texts);
      const gone = quoted.filter((quote) => {
        // Words may also come from a function that the message is put together of.
        const among = quote.startsWith('…') ? own : texts;
        return !among.some((text) => quotes(quote, text));
      });
      assert.deepEqual(gone, []);
    });

    test(`${code}: no message is quoted twice`, () => {
      assert.equal(new Set(quoted).size, quoted.length);
    });
  }

  test('quotes every message that is thrown', () => {
    assert.ok(thrown.length > 200, 'the sources are read');
    const lacking = thrown.flatMap(({ where, code, texts }) => {
      const quoted = code === undefined ? [...sections.values()].flat() : (sections.get(code) ?? []);
      return texts
        .filter((text) => !PUT_TOGETHER.test(text) && !quoted.some((quote) => quotes(quote, text)))
        .map((text) => `${where}: ${code ?? 'any code'}: ${text}`);
    });
    assert.deepEqual(lacking, []);
  });
});

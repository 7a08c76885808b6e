// Makes languages.csv from the translations of GLib that Debian 12 installs (package libglib2.0-data 2.74.6-2+deb12u8):
// node make.mjs > languages.csv

import { readFileSync } from 'node:fs';

const LANGUAGES = {
  ...{ English: undefined, German: 'de', French: 'fr', Spanish: 'es', Italian: 'it' },
  ...{ Polish: 'pl', Finnish: 'fi', Turkish: 'tr', Hungarian: 'hu', Swedish: 'sv' },
};
/** Which tell these languages apart best, by the rows that programs train with: the first four fifths. */
const LETTERS = [...'abdikotuwz'];
const LETTERS_IN_A_ROW = 400;

/** Pairs of a message and its translation, from a catalogue of GNU gettext. */
function catalogue(code) {
  const bytes = readFileSync(`/usr/share/locale/${code}/LC_MESSAGES/glib20.mo`);
  const [count, originals, translations] = [8, 12, 16].map((offset) => bytes.readUInt32LE(offset));
  const text = (table, i) => {
    const [length, start] = [0, 4].map((offset) => bytes.readUInt32LE(table + 8 * i + offset));
    return bytes.toString('utf8', start, start + length).split('\0')[0]; // what follows are plurals
  };
  const pairs = Array.from({ length: count }, (_, i) => [text(originals, i), text(translations, i)]);
  return pairs.filter(([message, translated]) => message !== '' && message !== translated);
}

/** Messages without directives such as %s, in the letters a to z. */
const lettersOf = (message) =>
  message
    .replace(/%[-\d.$]*[a-z]+/gi, '')
    .normalize('NFD')
    .toLowerCase()
    .replace(/[\u0131\u0142]/g, (letter) => (letter === '\u0142' ? 'l' : 'i'))
    .replace(/[^a-z]/g, '');

const rows = [];
for (const [language, code] of Object.entries(LANGUAGES)) {
  let letters = '';
  for (const [message, translated] of catalogue(code ?? 'de')) {
    letters += lettersOf(code ? translated : message);
    if (letters.length < LETTERS_IN_A_ROW) continue;
    const counts = LETTERS.map((letter) => letters.split(letter).length - 1);
    rows.push([...counts, letters.length, language]);
    letters = '';
  }
}

// In an order that looks random and is the same each time.
let state = 1;
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};
for (let i = rows.length - 1; i > 0; i--) {
  const j = random(i + 1);
  [rows[i], rows[j]] = [rows[j], rows[i]];
}
console.log([...LETTERS, 'letters', 'language'].join());
for (const row of rows) console.log(row.join());

// That links which lead nowhere are found.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { brokenLinks } from '../../scripts/lib/links.mjs';

let folder;
const write = (name, text) => writeFileSync(join(folder, name), text);

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'layernorm-links-'));
  mkdirSync(join(folder, 'assets'));
  mkdirSync(join(folder, 'deep'));
  write('deep/other.html', '<h1 id="there">There</h1><a href="../index.html#top">up</a>');
});
after(() => rmSync(folder, { recursive: true }));

const packed = (value) => deflateSync(JSON.stringify(value)).toString('base64');

/** What is wrong with a page of these links, beside scripts that lead to these places. */
function check(html, { navigation = 'index.html', search = 'deep/other.html#there' } = {}) {
  write('index.html', `<body id="top">${html}</body>`);
  write('assets/navigation.js', `window.navigationData = "${packed([{ text: 'a', path: navigation }])}"`);
  write('assets/search.js', `window.searchData = "${packed({ rows: [{ name: 'a', url: search }] })}";`);
  return brokenLinks(folder, ['../']);
}

test('links that lead somewhere', () => {
  const links = [
    '#top',
    'index.html',
    'deep/other.html',
    'deep/other.html#there',
    '../',
    'https://example.test/a?b#c',
  ];
  assert.deepEqual(check(links.map((link) => `<a class="x" href="${link}">x</a>`).join('\n')), []);
});

for (const [link, what] of [
  ['gone.html', /not there/],
  ['#gone', /anchor that is not there/],
  ['deep/other.html#top', /anchor that is not there/],
  ['deep', /folder/],
  ['/index.html', /not relative/],
  ['../outside.html', /leaves the folder/],
  ['http://example.test/', /https:/],
  ['https://', /https:/],
  ['javascript:void 0', /https:/],
]) {
  test(`a link to ${link}`, () => {
    const found = check(`<p>&lt;a href="not-a-link.html"></p>\n<a href="${link}">x</a>`);
    assert.equal(found.length, 1);
    assert.ok(found[0].startsWith(`index.html: ${link} `), found[0]);
    assert.match(found[0], what);
  });
}

test('pictures and scripts', () => {
  assert.match(check('<img alt="" src="gone.png">')[0], /gone\.png/);
  assert.match(check('<script async src="assets/gone.js"></script>')[0], /gone\.js/);
});

test('what the navigation and the search lead to', () => {
  assert.match(check('', { navigation: 'gone.html' })[0], /gone\.html/);
  assert.match(check('', { search: 'deep/other.html#gone' })[0], /#gone/);
});

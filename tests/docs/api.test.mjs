// That the documentation of the entries is whole.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { constraints, initializers, regularizers } from 'layernorm';
import { at } from '../../scripts/lib/paths.mjs';

/** docs/api lists their members once more, since TypeDoc has no words for those of an object. */
for (const [name, object] of Object.entries({ constraints, initializers, regularizers })) {
  test(`${name} has a page for each member`, () => {
    for (const key of Object.keys(object)) {
      const folder = /^[A-Z]/.test(key) ? 'classes' : 'functions';
      const page = at('build', 'docs', folder, `layernorm.${name}.${key}.html`);
      assert.ok(existsSync(page), `${page} is missing`);
    }
  });
}

test('every entry of the package has its page', () => {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((name) => typeof exports[name] === 'object');
  assert.ok(entries.length >= 7);
  for (const entry of entries) {
    const name = entry === '.' ? 'layernorm' : `layernorm_${entry.slice(2)}`;
    assert.ok(existsSync(at('build', 'docs', 'modules', `${name}.html`)), entry);
  }
});

test('no page mentions a path of this machine', () => {
  const pages = readdirSync(at('build', 'docs'), { recursive: true }).filter((name) =>
    name.endsWith('.html'),
  );
  assert.ok(pages.length > 200);
  for (const page of pages) assert.ok(!readFileSync(at('build', 'docs', page), 'utf8').includes(at()), page);
});

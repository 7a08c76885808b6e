// The installed package under Jest in CommonJS, its default: with the conditions of Node, and with that of browsers, which
// jest-environment-jsdom asks for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bin, install, run } from './support/installed.mjs';

test('Jest requires the package, in its environment for Node and in those for browsers', () => {
  const rootDir = install('jest');
  const project = { rootDir, testMatch: ['**/*.test.cjs'], transform: {} };
  const projects = [
    { ...project, displayName: 'node' },
    { ...project, displayName: 'browser', testEnvironmentOptions: { customExportConditions: ['browser'] } },
  ];
  const { status, stderr } = run(
    bin('jest'),
    ['--no-cache', '--config', JSON.stringify({ rootDir, projects })],
    {
      cwd: rootDir,
    },
  );
  assert.equal(status, 0, stderr);
  assert.match(stderr, /Tests: +4 passed, 4 total/);
});

// Opens pages in the Firefox of the machine. Without a driver: a page posts to its server what is to be known of it.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureFirefox } from '../../../scripts/lib/firefox.mjs';

const TIMEOUT = 60_000;

/**
 * Opens an address of a server, in a browser and with a profile of its own, until its page has posted something.
 * @param {{ url: string, posted: Promise<unknown> }} server
 * @param {string} path
 */
export async function visitInFirefox(server, path) {
  const profile = mkdtempSync(join(tmpdir(), 'layernorm-firefox-'));
  const options = ['--headless', '--no-remote', '--profile', profile, new URL(path, server.url).href];
  const firefox = spawn(await ensureFirefox(), options, {
    stdio: 'ignore',
    detached: true, // a group of processes, to be ended as such
    env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
  });
  const ended = new Promise((resolve, reject) => {
    firefox.on('error', reject);
    firefox.on('exit', resolve);
  });
  let timer;
  const late = new Promise((_, reject) => {
    const why = new Error(`${path} has posted nothing for ${TIMEOUT / 1000} seconds`);
    timer = setTimeout(reject, TIMEOUT, why);
  });
  const early = ended.then((code) => {
    throw new Error(`Firefox ended with ${code} before ${path} had posted anything`);
  });
  try {
    return await Promise.race([server.posted, late, early]);
  } finally {
    clearTimeout(timer);
    if (firefox.exitCode === null && firefox.pid) process.kill(-firefox.pid, 'SIGKILL');
    await ended.catch(() => {});
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

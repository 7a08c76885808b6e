import { ensure } from './apt.mjs';
import { which } from './run.mjs';

const NAMES = ['firefox', 'firefox-esr'];

const find = () => process.env.FIREFOX_PATH || NAMES.map(which).find(Boolean);

export const firefox = {
  packages: ['firefox-esr'],
  present: () => find() !== undefined,
  hint: 'Firefox is missing: install it, or set FIREFOX_PATH to its executable',
};

/** The full path of a Firefox, installed when there is none. */
export async function ensureFirefox() {
  await ensure([firefox]);
  return find();
}

import { ensure } from './apt.mjs';
import { which } from './run.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const find = () => process.env.CHROMIUM_PATH || NAMES.map(which).find(Boolean);

export const chromium = {
  packages: ['chromium'],
  present: () => find() !== undefined,
  hint: 'Chromium is missing: install it, or set CHROMIUM_PATH to the executable of a Chrome',
};

/** The full path of a Chromium or Chrome, installed when there is none. */
export async function ensureChromium() {
  await ensure([chromium]);
  return find();
}

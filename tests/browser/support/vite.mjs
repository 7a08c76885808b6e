// Where the demo page is, for Vite.

import { fileURLToPath } from 'node:url';

export const at = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
export const VITE = { root: at('web-demo'), configFile: at('web-demo/vite.config.ts'), logLevel: 'warn' };

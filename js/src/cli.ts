#!/usr/bin/env node
// The program `layernorm`: https://nodejs.org only.

import { main } from './cli/program.js';

main(process.argv.slice(2)).then((code) => {
  // Not process.exit: what was printed may still be on its way.
  process.exitCode = code;
});

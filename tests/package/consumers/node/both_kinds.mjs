// Two copies run in one process when one dependency imports the package and another requires it.
import { createRequire } from 'node:module';
import * as imported from 'layernorm';

const required = createRequire(import.meta.url)('layernorm');
const rows = [
  [1, 2, 3],
  [10, 20, 60],
];
const [one, other] = [imported, required].map(({ layerNorm }) => JSON.stringify(layerNorm(rows)));

/** What a copy says about a tensor of the other one. */
function refusal() {
  try {
    imported.layerNorm(required.tensor(rows));
    return 'none';
  } catch ({ name, code }) {
    return `${name} ${code}`;
  }
}

console.log(
  JSON.stringify({
    same: one === other,
    copies: imported.layerNorm !== required.layerNorm,
    refusal: refusal(),
  }),
);

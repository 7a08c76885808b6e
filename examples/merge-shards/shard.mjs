// One shard, in a process of its own: node shard.mjs <first row> <row after the last>. Writes the bytes of its moments to stdout.

import { Moments } from 'layernorm';
import { batches } from './data.mjs';

const [from, to] = process.argv.slice(2).map(Number);
const moments = new Moments({ axis: -1 });
for (const { x, shape } of batches(from, to)) moments.update(x, { shape });
process.stdout.write(moments.toBytes());

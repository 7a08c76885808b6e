// The same by require, and a process that ends while its threads are still starting.
const { configure, layerNorm, tensor } = require('layernorm');

configure({ threads: 2 }).then(({ threads, variant }) => {
  const t = tensor([1, 2, 3]);
  layerNorm(t, { out: t });
  console.log(JSON.stringify({ threads, variant, row: Array.from(t.array) }));
});

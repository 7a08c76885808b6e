const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

/** What to do with the answers that are still to come, by their requests' numbers. */
const pending = new Map();
let requests = 0;
worker.addEventListener('message', ({ data: { id, x, error } }) => {
  const { resolve, reject } = pending.get(id);
  pending.delete(id);
  if (error) reject(Object.assign(new Error(error.message), { code: error.code }));
  else resolve(x);
});

/** Layer normalization in the worker. x goes there and comes back without being copied: it is empty from the call on. */
function layerNorm(x, shape) {
  const id = requests++;
  return new Promise((resolve, reject) => {
    pending.set(id, { resolve, reject });
    worker.postMessage({ id, x, shape }, [x.buffer]);
  });
}

const [ROWS, COLS, CALLS] = [512, 768, 10];
const first = new Float32Array(ROWS * COLS);
let x = first;
for (let call = 0; call < CALLS; call++) {
  for (let i = 0; i < x.length; i++) x[i] = Math.sin(i + call);
  x = await layerNorm(x, [ROWS, COLS]); // the same memory, in an array that has it now
}
const refused = await layerNorm(new Float32Array(5), [2, 3]).catch(({ code }) => code);

const row = Array.from(x.subarray(0, COLS));
const mean = row.reduce((sum, value) => sum + value, 0) / COLS;
document.getElementById('result').textContent = [
  `${ROWS} x ${COLS} there and back ${CALLS} times: ${first.length} elements are left of the first array`,
  `mean of the first row: ${mean.toExponential(1)}`,
  `five elements as [2, 3]: ${refused}`,
].join('\n');
globalThis.results = { row, left: first.length, refused }; // for the console

import { pathToFileURL } from 'node:url';

const steps = [];
const note = (after, memoryBytes) => steps.push({ after, memoryBytes, rssBytes: process.memoryUsage().rss });
note('nothing', 0);

const { info, layerNorm, tensor } = await import(pathToFileURL(process.argv[2]));
note('import', 0);
function run(after, work) {
  work();
  note(after, info().memoryBytes);
}
for (const [rows, cols] of [
  [1, 64],
  [2048, 768],
  [8192, 1024],
]) {
  const x = new Float32Array(rows * cols).map((_, i) => i % 7);
  run(`Float32Array of ${rows}x${cols}, in place`, () => layerNorm(x, { shape: [rows, cols], out: x }));
}
let x;
run('tensor of 2048x768, in place', () => {
  x = tensor(new Float32Array(2048 * 768), [2048, 768]);
  layerNorm(x, { out: x });
});
run('the same into a new tensor', () => layerNorm(x).dispose());
run('disposing of all tensors', () => x.dispose());
console.log(JSON.stringify(steps));

import { pathToFileURL } from 'node:url';

const times = [performance.now()];
const { layerNorm } = await import(pathToFileURL(process.argv[2]));
times.push(performance.now());
const x = new Float32Array(64).map((_, i) => i);
layerNorm(x);
times.push(performance.now());
layerNorm(x);
times.push(performance.now());
console.log(
  JSON.stringify({ import: times[1] - times[0], first: times[2] - times[1], second: times[3] - times[2] }),
);

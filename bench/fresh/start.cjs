const times = [performance.now()];
const { layerNorm } = require(process.argv[2]);
times.push(performance.now());
layerNorm(new Float32Array(64).map((_, i) => i));
times.push(performance.now());
console.log(JSON.stringify({ import: times[1] - times[0], first: times[2] - times[1] }));

// Puts the service under load: node load.mjs [url] [seconds] [requests at a time] [rows] [dims].
// Ends with 1 when an answer was not right.

const [url = 'http://localhost:8080', ...numbers] = process.argv.slice(2);
const [seconds = 5, atATime = 32, rows = 64, dims = 768] = numbers.map(Number);

const body = Float32Array.from({ length: rows * dims }, (_, i) => Math.sin(i * i) + (i % 7));
const target = `${url}/normalize?dims=${dims}`;
const headers = { 'Content-Type': 'application/octet-stream' };

const counts = {};
const latencies = [];
let wrong = 0;
/** The same rows have the same bits as their answer, however many threads and requests there are. */
let expected;

async function client(until) {
  while (performance.now() < until) {
    const start = performance.now();
    const response = await fetch(target, { method: 'POST', headers, body });
    const answer = Buffer.from(await response.arrayBuffer());
    counts[response.status] = (counts[response.status] ?? 0) + 1;
    if (response.status === 200) {
      latencies.push(performance.now() - start);
      expected ??= answer;
      if (!answer.equals(expected)) wrong++;
    } else if (response.status === 503) {
      const wait = Number(response.headers.get('Retry-After') ?? 1);
      await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
    }
  }
}

const start = performance.now();
await Promise.all(Array.from({ length: atATime }, () => client(start + 1000 * seconds)));
const took = (performance.now() - start) / 1000;

latencies.sort((a, b) => a - b);
const percentile = (p) =>
  latencies[Math.max(Math.ceil((p / 100) * latencies.length) - 1, 0)]?.toFixed(1) ?? '-';
const perSecond = latencies.length / took;
console.log(`${atATime} requests at a time, ${rows} x ${dims} float32 each, ${took.toFixed(1)} s`);
for (const [status, count] of Object.entries(counts)) console.log(`status ${status}: ${count}`);
console.log(`answers with other bits than the first: ${wrong}`);
console.log(
  `throughput: ${perSecond.toFixed(0)} requests/s, ${(perSecond * rows).toFixed(0)} embeddings/s, ` +
    `${((perSecond * body.byteLength) / 2 ** 20).toFixed(0)} MiB/s`,
);
console.log(`latency in ms: ${[50, 90, 99, 100].map((p) => `p${p} ${percentile(p)}`).join(', ')}`);
process.exitCode = latencies.length > 0 && wrong === 0 ? 0 : 1;

// The natively built kernels, timed by the programs of bench/native.

import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';

/**
 * @param {string[]} programs
 * @param {string[]} shapes like "128x768"
 * @returns {Record<string, Record<string, number>>} GB/s by shape and by what was built how
 */
export function measureNative(programs, shapes, quick) {
  const repetitions = quick ? 3 : 9;
  const speeds = Object.fromEntries(shapes.map((shape) => [shape, {}]));
  for (const program of programs) {
    const options = [
      `--benchmark_repetitions=${repetitions}`,
      `--benchmark_min_time=${quick ? 0.02 : 0.05}`,
      '--benchmark_enable_random_interleaving=true',
      '--benchmark_report_aggregates_only=true',
      '--benchmark_format=json',
    ];
    const stdio = ['ignore', 'pipe', 'ignore'];
    const { benchmarks } = JSON.parse(execFileSync(program, [...options, ...shapes], { stdio }));
    const flags = basename(program).endsWith('_avx2') ? ' -mavx2' : '';
    for (const { aggregate_name: aggregate, run_name: name, bytes_per_second: speed } of benchmarks) {
      const [vectors, shape] = name.split('/');
      if (aggregate === 'median') speeds[shape][vectors + flags] = speed / 1e9;
    }
  }
  return speeds;
}

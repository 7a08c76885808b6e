// Timing, by a clock that goes as the calls say.

import {
  clockStep,
  measure,
  type Plan,
  sampleLength,
  type Times,
} from '../../../web-demo/src/speed/measure.js';

const PLAN: Plan = { sampleMs: 4, warmUpMs: 20, budgetMs: 1000 };

async function run(costs: Record<string, (call: number) => number>, plan = PLAN) {
  let time = 0;
  const order: string[] = [];
  const rounds: Times[] = [];
  const warmed: string[] = [];
  let expected = 0;
  let pauses = 0;
  let state = 1;
  const contenders = Object.entries(costs).map(([name, cost]) => {
    let calls = 0;
    return {
      name,
      call: () => {
        time += cost(calls++);
        if (order.at(-1) !== name) order.push(name);
      },
    };
  });
  await measure(
    contenders,
    plan,
    {
      onWarmUp: (name) => warmed.push(name),
      onRound: (times, round, of) => {
        rounds.push(times);
        expect(round).toBe(rounds.length);
        expected = of;
      },
      pause: async () => void pauses++,
    },
    () => time,
    () => {
      state = (state * 16807) % 2147483647;
      return state / 2147483647;
    },
  );
  return { rounds, warmed, expected, order, pauses, time };
}

test('each call is timed in each round, and its time is that of one call', async () => {
  const { rounds, warmed, expected, pauses } = await run({ quick: () => 0.01, slow: () => 7 });
  expect(warmed).toEqual(['quick', 'slow']);
  expect(rounds).toHaveLength(expected);
  expect(expected).toBe(51);
  expect(pauses).toBe(expected + 2);
  for (const { quick, slow } of rounds) {
    expect(quick).toBeCloseTo(0.01, 6);
    expect(slow).toBeCloseTo(7, 6);
  }
});

test('the rounds are as many as there is time for, but never less than five', async () => {
  expect((await run({ a: () => 10, b: () => 30 })).expected).toBe(25);
  expect((await run({ a: () => 900, b: () => 2000 })).expected).toBe(5);
});

test('the calls take turns, in changing order', async () => {
  const { order } = await run({ a: () => 5, b: () => 6, c: () => 7 });
  const turns = order.slice(3).join('');
  expect(turns).toMatch(/abc/);
  expect(turns).toMatch(/cb|ba|ac/);
});

test('what runs first, before it has been optimized, does not count', async () => {
  const { rounds } = await run({ a: (call) => (call < 5 ? 3 : 0.5) });
  expect(Math.max(...rounds.map(({ a }) => a as number))).toBeCloseTo(0.5, 6);
});

test('what has to be prepared is so before each sample, outside of its time', async () => {
  let time = 0;
  let isReady = false;
  let samples = 0;
  const times: number[] = [];
  await measure(
    [
      {
        name: 'a',
        prepare: async () => {
          time += 50;
          isReady = true;
          samples++;
        },
        call: () => {
          expect(isReady).toBe(true);
          time += 5;
        },
      },
    ],
    { ...PLAN, budgetMs: 50 },
    {
      onWarmUp: () => {},
      onRound: ({ a }) => {
        times.push(a as number);
        isReady = false;
      },
      pause: async () => {},
    },
    () => time,
  );
  expect(times).toEqual(new Array(10).fill(5));
  expect(samples).toBe(11);
});

test('samples are long against the steps of the clock', () => {
  let time = 0;
  let reads = 0;
  const clock = () => {
    if (reads++ % 3 === 2) time += 0.25;
    return time;
  };
  expect(clockStep(clock)).toBe(0.25);
  expect(sampleLength(0.005)).toBe(4);
  expect(sampleLength(0.1)).toBeCloseTo(10);
  expect(sampleLength(100)).toBe(100);
});

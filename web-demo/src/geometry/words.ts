// What the geometry view says.

import type { MethodName, Step } from './protocol.js';

interface Words {
  /** On the button, and in the table. */
  readonly short: string;
  readonly row: string;
  /** What there is to see. */
  readonly see: string;
}

export const STEP_WORDS: Record<MethodName, Record<Step, Words>> = {
  layer: {
    0: {
      short: 'x',
      row: 'x',
      see: 'Each point is a sample of three numbers. The line through the middle is (1, 1, 1), where all three are equal; the disc lies in the plane across it, where they sum to 0.',
    },
    1: {
      short: '− mean',
      row: 'x − mean',
      see: 'Subtracting the mean slides each point along (1, 1, 1) onto the plane. How large the three numbers are in common is gone: of three dimensions two are left.',
    },
    2: {
      short: '÷ std',
      row: '÷ √(variance + ε)',
      see: 'Dividing by the standard deviation slides each point away from the middle, or towards it, onto the circle of radius √3. All that is left of a sample is one angle.',
    },
    3: {
      short: '× γ + β',
      row: '× γ + β',
      see: 'γ stretches each of the three directions and β shifts: the circle becomes an ellipse, the same one for all samples.',
    },
  },
  rms: {
    0: {
      short: 'x',
      row: 'x',
      see: 'Each point is a sample of three numbers. The sphere around the origin has the radius √3: there their mean square is 1.',
    },
    1: {
      short: 'no mean',
      row: 'no mean',
      see: 'RMS normalization subtracts no mean: nothing moves, and no dimension is lost here.',
    },
    2: {
      short: '÷ rms',
      row: '÷ √(mean square + ε)',
      see: 'Dividing by the root of the mean square slides each point along its ray from the origin, onto the sphere of radius √3. Its direction stays.',
    },
    3: {
      short: '× γ',
      row: '× γ',
      see: 'γ stretches each of the three directions: the sphere becomes an ellipsoid. RMS normalization has no β.',
    },
  },
};

/** Points that epsilon keeps from where the others go are those that reach less than this part of the way. */
export const REACHED = 0.95;

/** What epsilon does, in a sentence. */
export function epsilonSentence(method: MethodName, inside: number, all: number): string {
  const [where, what] = method === 'layer' ? ['circle', 'variance'] : ['sphere', 'mean square'];
  if (inside === 0)
    return `With this ε all ${all} points reach the ${where}: beside each ${what} it is nothing.`;
  return (
    `${inside === 1 ? 'One' : inside} of ${all} points, drawn hollow, ${inside === 1 ? 'stays' : 'stay'} inside the ${where}: ` +
    `beside a small ${what}, ε counts.`
  );
}

// The normalizations that the page can do, and in what they differ.

export const METHOD_NAMES = ['layer', 'rms', 'unit', 'batch', 'group', 'instance'] as const;
export type MethodName = (typeof METHOD_NAMES)[number];

export interface Method {
  /** The function of the package. */
  readonly operation: string;
  /** What is divided by: the root of the variance, the root of the mean square, or the Euclidean norm. */
  readonly scale: 'std' | 'rms' | 'norm';
  /** Whether the axis that is chosen is that of the channels, which gamma and beta belong to then, or those that a sample spans. */
  readonly isPerChannel: boolean;
  /** Whether a sample of the batch, an index of dimension 0, is normalized on its own. Only with channels. */
  readonly keepsSamples: boolean;
  readonly hasGamma: boolean;
  readonly hasBeta: boolean;
  /** Keras' default. */
  readonly epsilon: number;
}

const WITH_BOTH = { hasGamma: true, hasBeta: true, epsilon: 1e-3, scale: 'std' } as const;
const PER_SAMPLE = { isPerChannel: false, keepsSamples: false } as const;
const PER_CHANNEL = { isPerChannel: true, keepsSamples: true } as const;

export const METHODS: Record<MethodName, Method> = {
  layer: { operation: 'layerNorm', ...PER_SAMPLE, ...WITH_BOTH },
  rms: { operation: 'rmsNorm', ...PER_SAMPLE, ...WITH_BOTH, scale: 'rms', hasBeta: false, epsilon: 1e-6 },
  unit: {
    operation: 'unitNorm',
    ...PER_SAMPLE,
    scale: 'norm',
    hasGamma: false,
    hasBeta: false,
    epsilon: 1e-12,
  },
  batch: { operation: 'batchNorm', ...PER_CHANNEL, ...WITH_BOTH, keepsSamples: false },
  group: { operation: 'groupNorm', ...PER_CHANNEL, ...WITH_BOTH },
  instance: { operation: 'instanceNorm', ...PER_CHANNEL, ...WITH_BOTH },
};

/** Whether a mean is subtracted: where the variance is what is divided by. */
export function centers({ scale }: Method): boolean {
  return scale === 'std';
}

/** The numbers of groups that some channels can be split into, ascending. */
export function divisorsOf(channels: number): number[] {
  const small: number[] = [];
  const large: number[] = [];
  for (let k = 1; k * k <= channels; k++) {
    if (channels % k !== 0) continue;
    small.push(k);
    if (k * k < channels) large.unshift(channels / k);
  }
  return [...small, ...large];
}

/** Keras' default where it can be, else as many as leave more than one channel to a group. */
export function defaultGroups(channels: number): number {
  const KERAS = 32;
  if (channels % KERAS === 0) return KERAS;
  return Math.max(1, ...divisorsOf(channels).filter((k) => k < channels && k < KERAS));
}

/** Epsilon as one would write it: 0.001, 1e-6. */
export function epsilonText(epsilon: number): string {
  return epsilon !== 0 && epsilon < 1e-3 ? epsilon.toExponential() : String(epsilon);
}

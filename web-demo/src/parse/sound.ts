// A sound as numbers: its spectrogram, one moment a sample.

import type { Dataset } from './dataset.js';

export interface Spectrogram {
  /** Decibels, moment after moment, the last one first. */
  readonly levels: Float32Array<ArrayBuffer>;
  /** When each moment was, and where the middle of each band is. */
  readonly times: readonly string[];
  readonly bands: readonly string[];
}

export function soundOf({ levels, times, bands }: Spectrogram): Dataset {
  return {
    name: 'Microphone',
    kind: 'sound',
    data: levels,
    notes: [
      'Each row is a moment, the last one on top, each column a band of frequencies; the numbers are decibels. ' +
        'Louder sound adds the same number to all bands of a moment. Layer normalization takes the mean of each moment away: ' +
        'what is left is the shape of the sound, said softly or loudly.',
    ],
    axes: [
      { size: times.length, noun: 'moments', names: times },
      { size: bands.length, noun: 'bands', names: bands, namesAreUnique: true },
    ],
  };
}

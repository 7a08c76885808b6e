// From the spectrum of a sound to a few bands, as wide as the ear has them.

/** What silence counts as, in decibels: its logarithm has no end. */
export const SILENCE = -120;

export interface Band {
  /** Frequency in its middle, in Hz. */
  readonly middle: number;
  /** Bins of the spectrum that it spans; the end is not in it. */
  readonly from: number;
  readonly to: number;
}

/** O'Shaughnessy's scale: equal steps sound equally far apart. */
const mel = (hertz: number): number => 1127 * Math.log1p(hertz / 700);
const hertz = (mel: number): number => 700 * Math.expm1(mel / 1127);

/**
 * Bands of equal width on the mel scale, next to each other.
 * @param lowest - where the first begins, and the last ends, in Hz; not beyond what the sample rate can tell
 */
export function melBands(
  count: number,
  sampleRate: number,
  fftSize: number,
  [lowest, highest]: readonly [number, number],
): Band[] {
  const end = Math.min(highest, sampleRate / 2);
  const edge = (i: number): number => hertz(mel(lowest) + (i / count) * (mel(end) - mel(lowest)));
  const bin = sampleRate / fftSize;
  return Array.from({ length: count }, (_, i) => {
    const from = Math.min(fftSize / 2 - 1, Math.round(edge(i) / bin));
    const to = Math.min(fftSize / 2, Math.max(from + 1, Math.round(edge(i + 1) / bin)));
    return { middle: hertz((mel(edge(i)) + mel(edge(i + 1))) / 2), from, to };
  });
}

/** The mean power in each band, in decibels as the spectrum is. */
export function bandLevels(spectrum: Float32Array, bands: readonly Band[]): Float32Array {
  return Float32Array.from(bands, ({ from, to }) => {
    let power = 0;
    for (let i = from; i < to; i++) power += 10 ** ((spectrum[i] as number) / 10);
    return Math.max(SILENCE, 10 * Math.log10(power / (to - from)));
  });
}

/** '440 Hz', '1.2 kHz' */
export function bandName({ middle }: Band): string {
  return middle < 1000 ? `${Math.round(middle)} Hz` : `${(middle / 1000).toFixed(2)} kHz`;
}

/** The last moments of something that goes on, the newest first. */
export class Moments {
  readonly #width: number;
  readonly #rows: { readonly time: number; readonly levels: Float32Array }[] = [];
  readonly #most: number;

  constructor(most: number, width: number) {
    this.#most = most;
    this.#width = width;
  }

  push(time: number, levels: Float32Array): void {
    this.#rows.unshift({ time, levels });
    this.#rows.length = Math.min(this.#rows.length, this.#most);
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** All moments as one array, what has not been yet as silence; and how long ago each was. */
  snapshot(): { levels: Float32Array<ArrayBuffer>; times: string[] } {
    const levels = new Float32Array(this.#most * this.#width).fill(SILENCE);
    const now = this.#rows[0]?.time ?? 0;
    const times = Array.from({ length: this.#most }, (_, i) => {
      const row = this.#rows[i];
      if (!row) return 'not yet';
      levels.set(row.levels, i * this.#width);
      return i === 0 ? 'now' : `−${((now - row.time) / 1000).toFixed(2)} s`;
    });
    return { levels, times };
  }
}

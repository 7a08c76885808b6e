// The microphone: its spectrum some times a second, the last moments of it at once.

import type { CapturedSource } from '../protocol.js';
import { bandLevels, bandName, Moments, melBands } from './bands.js';
import type { Device } from './device.js';

const [MOMENTS, BANDS] = [64, 64];
/** Between two moments. */
const MOMENT_MS = 60;
/** At 48 kHz a spectrum of 85 ms, its bins 12 Hz apart. */
const FFT_SIZE = 4096;
/** Where speech and most of music are, in Hz. */
const RANGE = [60, 8000] as const;

export class Microphone implements Device {
  readonly #stream: MediaStream;
  readonly #context: AudioContext;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #moments = new Moments(MOMENTS, BANDS);
  readonly #names: readonly string[];

  constructor(stream: MediaStream) {
    this.#stream = stream;
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = FFT_SIZE;
    analyser.smoothingTimeConstant = 0; // each moment on its own
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const bands = melBands(BANDS, this.#context.sampleRate, FFT_SIZE, RANGE);
    this.#names = bands.map(bandName);
    const spectrum = new Float32Array(analyser.frequencyBinCount);
    this.#timer = setInterval(() => {
      if (this.#context.state !== 'running') return;
      analyser.getFloatFrequencyData(spectrum);
      this.#moments.push(performance.now(), bandLevels(spectrum, bands));
    }, MOMENT_MS);
    this.#context.resume().catch(() => {});
  }

  capture(): CapturedSource | undefined {
    if (this.#moments.isEmpty) return undefined;
    return { kind: 'microphone', spectrogram: { ...this.#moments.snapshot(), bands: this.#names } };
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const track of this.#stream.getTracks()) track.stop();
    void this.#context.close();
  }
}

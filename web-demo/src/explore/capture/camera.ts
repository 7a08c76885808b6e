// The camera, a small picture at a time.

import type { CapturedSource } from '../protocol.js';
import type { Device } from './device.js';

/** Pixels along the longer side: as many as can be normalized, checked and drawn several times a second. */
const LONGER_SIDE = 160;

export class Camera implements Device {
  readonly #stream: MediaStream;
  readonly #video = document.createElement('video');
  readonly #canvas = document.createElement('canvas');
  readonly #isMirrored: boolean;

  constructor(stream: MediaStream) {
    this.#stream = stream;
    // People expect to see themselves as in a mirror; what a camera at the back sees, they expect as it is.
    this.#isMirrored = stream.getVideoTracks()[0]?.getSettings().facingMode !== 'environment';
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.srcObject = stream;
    this.#video.play().catch(() => {}); // without, there are no frames
  }

  capture(): CapturedSource | undefined {
    const { videoWidth, videoHeight, readyState } = this.#video;
    if (readyState < HTMLMediaElement.HAVE_CURRENT_DATA || videoWidth === 0) return undefined;
    const scale = LONGER_SIDE / Math.max(videoWidth, videoHeight);
    const width = Math.max(1, Math.round(videoWidth * scale));
    const height = Math.max(1, Math.round(videoHeight * scale));
    const canvas = this.#canvas;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) return undefined;
    context.setTransform(this.#isMirrored ? -1 : 1, 0, 0, 1, this.#isMirrored ? width : 0, 0);
    context.drawImage(this.#video, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return { kind: 'camera', pixels: { data, width, height }, isMirrored: this.#isMirrored };
  }

  stop(): void {
    for (const track of this.#stream.getTracks()) track.stop();
    this.#video.srcObject = null;
  }
}

// What camera and microphone have in common.

import type { CapturedSource } from '../protocol.js';

export type DeviceName = CapturedSource['kind'];

export interface Device {
  /** What it sees or hears now; undefined while it has not begun. */
  capture(): CapturedSource | undefined;
  /** Lets go of it, so that the browser no longer says that it is in use. */
  stop(): void;
}

/** Asks for a device. The browser asks the person. */
export async function askFor(device: DeviceName): Promise<MediaStream> {
  // Only pages from https or from this machine get at devices at all.
  if (!navigator.mediaDevices) throw Object.assign(new Error(), { name: 'InsecureError' });
  return navigator.mediaDevices.getUserMedia(
    device === 'camera'
      ? { video: { width: { ideal: 320 }, height: { ideal: 240 }, facingMode: 'user' } }
      : // Loudness as it is: that it does not matter after layer normalization is what one is to see.
        { audio: { autoGainControl: false, noiseSuppression: false, echoCancellation: false } },
  );
}

/** Why there is no camera or microphone, and what can be done about it. */
export function failureOf(device: DeviceName, error: unknown): string {
  const name = (error as { name?: unknown } | undefined)?.name;
  switch (name) {
    case 'InsecureError':
      return `Browsers give the ${device} only to pages that come over https, or from this machine.`;
    case 'NotAllowedError':
    case 'SecurityError':
      return `The ${device} has not been allowed. Allow it beside the address of the page, or in the settings of the browser, and try again.`;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return `The browser finds no ${device} on this machine.`;
    case 'NotReadableError':
    case 'AbortError':
      return `The ${device} does not answer. Another program may be using it.`;
    default:
      return `The ${device} cannot be used: ${(error as Error | undefined)?.message || String(name ?? error)}.`;
  }
}

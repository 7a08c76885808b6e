// The buttons of camera and microphone, and the loop that takes one frame after the other while one of them is on.

import { byId } from '../../ui/dom.js';
import type { CapturedSource } from '../protocol.js';
import { Camera } from './camera.js';
import { askFor, type Device, type DeviceName, failureOf } from './device.js';
import { Microphone } from './microphone.js';

/** Rest between two frames, at least. */
const FRAME_MS = 80;

const NAMES: readonly DeviceName[] = ['camera', 'microphone'];

interface Handlers {
  /** Takes a frame, and settles when the next one may come. */
  onFrame(source: CapturedSource, isFirst: boolean): Promise<void>;
  /** The last frame has come. */
  onStop(name: DeviceName): void;
  onError(message: string | undefined): void;
}

export class CapturePanel {
  readonly #handlers: Handlers;
  /** What is on, or being asked for. Another object for each time. */
  #current: { readonly name: DeviceName; device?: Device } | undefined;

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
    for (const name of NAMES) {
      byId(`use-${name}`).addEventListener('click', () => {
        if (this.#current?.name === name) this.stop();
        else void this.#start(name);
      });
    }
  }

  /** Whether frames come in. */
  get isLive(): boolean {
    return this.#current?.device !== undefined;
  }

  stop(): void {
    const stopped = this.#current;
    this.leave();
    if (stopped?.device) this.#handlers.onStop(stopped.name);
  }

  /** Stops because other data come: the last frame is of no interest. */
  leave(): void {
    this.#current?.device?.stop();
    this.#current = undefined;
    this.#show();
  }

  async #start(name: DeviceName): Promise<void> {
    this.leave();
    this.#handlers.onError(undefined);
    const mine: { readonly name: DeviceName; device?: Device } = { name };
    this.#current = mine;
    this.#show();
    try {
      const stream = await askFor(name);
      const device = name === 'camera' ? new Camera(stream) : new Microphone(stream);
      if (this.#current !== mine) return device.stop();
      mine.device = device;
      for (const track of stream.getTracks()) {
        track.addEventListener('ended', () => {
          if (this.#current !== mine) return;
          this.stop();
          this.#handlers.onError(`The ${name} has been taken away. Its last frame stays.`);
        });
      }
      this.#show();
      let isFirst = true;
      while (this.#current === mine) {
        const source = document.hidden ? undefined : device.capture();
        if (source) {
          await this.#handlers.onFrame(source, isFirst);
          isFirst = false;
        }
        await new Promise((resolve) => setTimeout(resolve, FRAME_MS));
      }
    } catch (error) {
      if (this.#current !== mine) return;
      this.stop();
      this.#handlers.onError(failureOf(name, error));
    }
  }

  #show(): void {
    const current = this.#current;
    for (const name of NAMES) {
      byId(`use-${name}`).textContent = name === current?.name ? `Stop ${name}` : `Use ${name}`;
    }
    byId('capture-status').textContent = !current
      ? ''
      : current.device
        ? `The ${current.name} is live. What it ${current.name === 'camera' ? 'sees' : 'hears'} stays on this machine.`
        : `Waiting for the ${current.name}: the browser asks whether this page may use it.`;
  }
}

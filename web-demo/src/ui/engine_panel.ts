// What computed the result, how fast, and how right.

import type { Check } from '../compute/reference.js';
import type { RunSummary } from '../protocol.js';
import { byId } from './dom.js';
import { bytes, duration, significant, whole } from './format.js';

export class EnginePanel {
  #run = 0;

  show(
    { run, engine, milliseconds, timedCalls, bytes: moved }: RunSummary,
    type: 'float32' | 'float64',
  ): void {
    this.#run = run;
    const threads = `${engine.threads} ${engine.threads === 1 ? 'thread' : 'threads'}`;
    set('engine-name', `layernorm ${engine.version}`);
    set('engine-detail', `${engine.variant}, ${threads}, ${type}`);
    byId('engine-detail').title = engine.reason ?? '';
    set('engine-time', duration(milliseconds));
    set('engine-calls', timedCalls === 1 ? 'measured once' : `mean of ${whole(timedCalls)} calls`);
    set('engine-throughput', `${bytes((moved / milliseconds) * 1000)}/s`);
    set('engine-bytes', `${bytes(moved)} read and written`);
    set('engine-error', '…');
    set('engine-check', 'checking');
  }

  /** The comparison with the reference, as far as it has come. */
  showCheck(run: number, fraction: number, { absolute, ulp, notFinite }: Check): void {
    if (run !== this.#run) return;
    set('engine-error', `${significant(ulp, 3)} ulp`);
    const unlike = notFinite > 0 ? `, ${whole(notFinite)} not finite` : '';
    set(
      'engine-check',
      fraction < 1
        ? `checked ${Math.floor(fraction * 100)} %`
        : `${significant(absolute, 2)}, against float64${unlike}`,
    );
  }
}

function set(id: string, text: string): void {
  byId(id).textContent = text;
}

// What computed the result, how fast, and how right.

import type { Check } from '../compute/reference.js';
import type { Timing } from '../compute/timing.js';
import { byId } from '../ui/dom.js';
import { bytes, duration, significant, whole } from '../ui/format.js';
import type { DatasetSummary, Finding, RunSummary } from './protocol.js';

export class EnginePanel {
  #summary: RunSummary | undefined;

  /** Until something is known about a new result, what was known about one of the same size stays. */
  show(summary: RunSummary, type: DatasetSummary['computed']): void {
    const { engine } = summary;
    const threads = `${engine.threads} ${engine.threads === 1 ? 'thread' : 'threads'}`;
    set('engine-name', `layernorm ${engine.version}`);
    set('engine-detail', `${engine.variant}, ${threads}, ${type}`);
    set('engine-call', summary.call);
    byId('engine-detail').title = engine.reason ?? '';
    if (summary.bytes !== this.#summary?.bytes) this.clear();
    set('engine-bytes', `${bytes(summary.bytes)} read and written`);
    set('engine-calls', 'measuring');
    set('engine-check', 'checking');
    this.#summary = summary;
  }

  clear(): void {
    for (const id of ['engine-time', 'engine-throughput', 'engine-error']) set(id, '…');
    for (const id of ['engine-bytes', 'engine-calls', 'engine-check']) set(id, '\u00a0');
  }

  showFinding(finding: Finding): void {
    if (finding.run !== this.#summary?.run) return;
    if (finding.kind === 'timed') this.#showTiming(finding.timing, this.#summary.bytes);
    else this.#showCheck(finding.check, finding.fraction);
  }

  #showTiming({ milliseconds, calls }: Timing, moved: number): void {
    set('engine-time', duration(milliseconds));
    set('engine-calls', calls === 1 ? 'measured once' : `median over ${whole(calls)} calls`);
    set('engine-throughput', `${bytes((moved / milliseconds) * 1000)}/s`);
  }

  /** The comparison with the reference, as far as it has come. */
  #showCheck({ absolute, ulp, notFinite }: Check, fraction: number): void {
    const unlike = notFinite > 0 ? `, ${whole(notFinite)} not finite` : '';
    set('engine-error', `${significant(ulp, 3)} ulp`);
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

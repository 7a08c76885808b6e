// Speed: how fast the package is on this machine, beside a plain loop and a copy of the memory.

import './speed.css';
import type { OpenView, State } from '../app/view.js';
import { debounce, el } from '../ui/dom.js';
import { bytes, duration, significant } from '../ui/format.js';
import { onWidth } from '../ui/plot.js';
import { WorkClient, type WorkError } from '../worker/client.js';
import { barChart, scalingChart, swatch, sweepChart } from './charts.js';
import { CopyCard } from './copy_card.js';
import { loopSource } from './loop_source.js';
import { sampleLength } from './measure.js';
import loopsText from './plain_loops.js?raw';
import type { ContenderName, Engine, Finding, Requests } from './protocol.js';
import {
  begin,
  callRows,
  errorText,
  isUnsteady,
  type Kind,
  type Measured,
  middleText,
  nameOf,
  type Row,
  ratioText,
  report,
  roundsText,
  scalingRows,
  shapeRows,
  speedText,
  sweepRows,
  threadsText,
  timeText,
  titleOf,
  withFinding,
} from './results.js';
import { RunCard } from './run_card.js';
import {
  binaryBytes,
  bytesMoved,
  formatSettings,
  memoryLimit,
  parseSettings,
  type Settings,
  SWEEP_COLUMNS,
  sweepSizes,
  threadSteps,
} from './settings.js';
import { SettingsForm } from './settings_form.js';

const ANNOUNCE_MS = 400;
const UNSTEADY =
  'The rounds differ widely: something else keeps this machine busy. Measure again when it is quiet.';
const KINDS: readonly Kind[] = ['run', 'sweep', 'scaling'];

class Speed {
  readonly #state: State;
  readonly #client = new WorkClient<Requests, Finding>('speed', (finding) => this.#found(finding));
  readonly #memoryLimit = memoryLimit((navigator as { deviceMemory?: number }).deviceMemory);
  readonly #form = new SettingsForm(this.#memoryLimit, navigator.hardwareConcurrency || 1, () =>
    this.#settingsChanged(),
  );
  readonly #cards: Record<Kind, RunCard>;
  readonly #copy = new CopyCard();
  readonly #engine = el('dl');
  readonly #loop = el('code', { id: 'speed-loop' });
  readonly #announcer = el('p', { class: 'visually-hidden', id: 'speed-announcer', 'aria-live': 'polite' });
  readonly #results = new Map<Kind, Measured>();
  readonly #openTables = new Set<Kind>();
  readonly #probed: Promise<void>;
  #runs = 0;
  #running: Kind | undefined;
  #width = 0;
  #drawing: number | undefined;

  constructor(root: HTMLElement, state: State) {
    this.#state = state;
    const card = (kind: Kind, title: string, intro: string, button: string) =>
      new RunCard({
        id: `speed-${kind}`,
        title,
        intro,
        button,
        onRun: () => void this.#run(kind),
        onCancel: () => this.#cancel(),
      });
    this.#cards = {
      run: card(
        'run',
        'This shape',
        'Tensor: x and y lie in WebAssembly memory. Array: they are ordinary arrays, and the copies in and out are timed. ' +
          'Plain loop: JavaScript as one would write it. memcpy: y.set(x), which normalizes nothing.',
        'Measure',
      ),
      sweep: card(
        'sweep',
        'The whole picture',
        `The same over sizes of x from 4 KiB to 64 MiB, in rows of ${SWEEP_COLUMNS}: small ones stay in the caches of the ` +
          'processor, large ones come from memory. It takes about 15 seconds.',
        'Measure all sizes',
      ),
      scaling: card(
        'scaling',
        'More threads',
        'The tensor of this shape with one thread, with two, and so on. Where memory is the limit, more of them gain little.',
        'Measure threads',
      ),
    };
    const results = el(
      'div',
      { class: 'results skip-target', id: 'speed-results', tabindex: -1 },
      el(
        'section',
        { class: 'engine', id: 'speed-engine', 'aria-labelledby': 'speed-engine-title' },
        el('h3', { class: 'visually-hidden', id: 'speed-engine-title' }, 'What runs'),
        this.#engine,
      ),
      ...KINDS.map((kind) => this.#cards[kind].element),
      this.#copy.element,
      this.#method(),
      this.#announcer,
    );
    root.classList.add('speed');
    root.append(
      el('h2', {}, 'Speed on your machine'),
      el(
        'p',
        { class: 'lead' },
        'Normalization reads every number and writes one back, so a plain copy of the memory is about what can be reached. ' +
          'Measure here how near the package comes, and how near JavaScript does.',
      ),
      el(
        'div',
        { class: 'with-controls' },
        el(
          'div',
          { class: 'controls' },
          el(
            'section',
            { class: 'card', 'aria-labelledby': 'speed-settings-title' },
            el('h3', { id: 'speed-settings-title' }, 'What is measured'),
            this.#form.element,
          ),
        ),
        results,
      ),
    );
    onWidth(results, (width) => {
      this.#width = width;
      this.#redraw();
    });
    this.#showEngine(undefined, false);
    this.#probed = this.#probe();
    this.#enable();
  }

  restore(): void {
    const { get } = this.#state;
    this.#form.settings = parseSettings({
      op: get('op'),
      shape: get('shape'),
      dtype: get('dtype'),
      threads: get('threads'),
    });
    this.#settingsShown();
  }

  /** What is measured while another view works would say little. */
  hide(): void {
    this.#cancel();
  }

  #settingsChanged(): void {
    const { settings } = this.#form;
    // What is no shape yet stays out of the address.
    const { shape, ...others } = formatSettings(settings);
    this.#state.set({ ...others, ...(settings.rows >= 1 && settings.columns >= 1 && { shape }) });
    this.#settingsShown();
  }

  #settingsShown(): void {
    const { operation, dtype } = this.#form.settings;
    this.#loop.textContent = loopSource(loopsText, operation, dtype);
    for (const kind of KINDS) {
      const measured = this.#results.get(kind);
      this.#cards[kind].isStale = measured !== undefined && this.#isOther(measured);
    }
  }

  #isOther({ kind, settings }: Measured): boolean {
    const now = this.#form.possible;
    const isAlike = (names: readonly (keyof Settings)[]) =>
      names.every((name) => now[name] === settings[name]);
    if (kind === 'sweep') return !isAlike(['operation', 'dtype', 'threads']);
    if (kind === 'scaling') return !isAlike(['operation', 'dtype', 'rows', 'columns']);
    return !isAlike(['operation', 'dtype', 'rows', 'columns', 'threads']);
  }

  /** Finds out what runs here, and whether threads can. */
  async #probe(): Promise<void> {
    const client = new WorkClient<Requests>('speed');
    try {
      const { engine, threadsReason } = await client.request('probe', {});
      this.#form.threadsHere = { reason: threadsReason, isIsolated: crossOriginIsolated };
      if (this.#results.size === 0) this.#showEngine(engine, false);
    } catch (error) {
      this.#form.threadsHere = { reason: (error as Error).message, isIsolated: crossOriginIsolated };
      this.#cards.run.showError(error as WorkError);
    } finally {
      client.stop();
      this.#enable();
    }
  }

  /** What ran last; before that, what has been loaded. */
  #showEngine(engine: Engine | undefined, hasRun: boolean): void {
    const most = Math.max(navigator.hardwareConcurrency || 1, engine?.threads ?? 1);
    const canThread = this.#form.mostThreads > 1;
    const entry = (id: string, term: string, value: string | undefined, detail: string | undefined) =>
      el(
        'div',
        {},
        el('dt', {}, term),
        el('dd', { id }, value ?? el('span', { class: 'pending' }, 'starting')),
        el('dd', { class: 'detail', id: `${id}-detail` }, detail ?? '\u00a0'),
      );
    const builds: Record<string, string> = {
      simd: 'WebAssembly, 128-bit SIMD',
      'simd-mt': 'the same with threads',
    };
    this.#engine.replaceChildren(
      entry('speed-version', 'Package', engine && `layernorm ${engine.version}`, 'computes in a worker'),
      entry('speed-variant', 'Build', engine?.variant, engine && builds[engine.variant]),
      entry(
        'speed-engine-threads',
        'Threads',
        engine && (canThread && !hasRun ? `up to ${most}` : `${engine.threads} of ${most}`),
        engine &&
          (canThread ? (hasRun ? 'in the last measurement' : 'can work on a call') : 'the settings say why'),
      ),
      entry(
        'speed-clock',
        'Clock',
        engine && `${duration(engine.clockStep)} steps`,
        engine && `samples of ${duration(sampleLength(engine.clockStep))} or more`,
      ),
    );
  }

  #enable(): void {
    const most = this.#form.mostThreads;
    for (const kind of KINDS) {
      this.#cards[kind].isDisabled = this.#running !== undefined || (kind === 'scaling' && most === 1);
    }
    this.#cards.scaling.element.hidden = most === 1;
    this.#cards.scaling.button = `Measure 1 to ${most}`;
  }

  async #run(kind: Kind): Promise<void> {
    if (this.#running) return;
    if (kind !== 'sweep' && this.#form.problem !== undefined) return this.#form.focusProblem();
    const card = this.#cards[kind];
    const run = ++this.#runs;
    this.#running = kind;
    this.#enable();
    card.begin();
    this.#say('Measuring.');
    await this.#probed;
    // Cancelled meanwhile.
    if (run !== this.#runs || this.#running !== kind) return;
    const settings = this.#form.possible;
    const sizes = kind === 'sweep' ? sweepSizes(settings, this.#memoryLimit) : [];
    const before = this.#results.get(kind);
    this.#results.set(kind, begin(kind, settings, sizes));
    card.isStale = false;
    let end: Measured['state'] = 'complete';
    try {
      if (kind === 'run') await this.#client.request('run', { run, settings });
      else if (kind === 'sweep') await this.#client.request('sweep', { run, settings, sizes });
      else {
        await this.#client.request('scaling', { run, settings, steps: threadSteps(this.#form.mostThreads) });
      }
    } catch (error) {
      end = 'partial';
      if ((error as Error).name !== 'AbortError') card.showError(explained(error as WorkError));
    }
    if (run !== this.#runs) return;
    // Its memory is given back; the next one starts afresh.
    this.#client.stop();
    const measured = { ...(this.#results.get(kind) as Measured), state: end };
    if (measured.series.size > 0) this.#results.set(kind, measured);
    else if (before) this.#results.set(kind, before);
    else this.#results.delete(kind);
    this.#settled(kind);
    if (end === 'complete') this.#say(`Done. ${this.#summaryOf(measured)}`);
    else this.#say(measured.series.size > 0 ? 'Stopped. What was measured so far stays.' : 'Stopped.');
  }

  #cancel(): void {
    const kind = this.#running;
    if (!kind) return;
    this.#client.stop();
    // Still waiting for what comes before the work.
    if (this.#results.get(kind)?.state !== 'running') {
      this.#runs++;
      this.#settled(kind);
      this.#say('Stopped.');
    }
  }

  #settled(kind: Kind): void {
    this.#running = undefined;
    this.#cards[kind].end();
    this.#enable();
    this.#settingsShown();
    this.#redraw();
  }

  #found(finding: Finding): void {
    const kind = this.#running;
    if (!kind || finding.run !== this.#runs) return;
    const measured = withFinding(this.#results.get(kind) as Measured, finding);
    this.#results.set(kind, measured);
    if (finding.kind === 'engine') this.#showEngine(finding.engine, true);
    if (finding.kind === 'doing') this.#cards[kind].doing(capitalized(finding.what), finding.fraction);
    if (finding.kind === 'round') this.#redraw();
  }

  /** Once for all that has come since the last picture. */
  #redraw(): void {
    this.#drawing ??= requestAnimationFrame(() => {
      this.#drawing = undefined;
      for (const kind of KINDS) this.#draw(kind);
      this.#copy.text = this.#running ? '' : this.#report();
    });
  }

  #draw(kind: Kind): void {
    const measured = this.#results.get(kind);
    const card = this.#cards[kind];
    card.result.hidden = !measured || measured.series.size === 0;
    if (!measured || card.result.hidden || this.#width === 0) return;
    // The padding of the card.
    const { paddingLeft, paddingRight, borderLeftWidth } = getComputedStyle(card.element);
    const width =
      this.#width -
      Number.parseFloat(paddingLeft) -
      Number.parseFloat(paddingRight) -
      2 * Number.parseFloat(borderLeftWidth);
    const table = el('details', { class: 'speed-details', open: this.#openTables.has(kind) });
    table.append(
      el('summary', {}, 'As a table'),
      el(
        'div',
        { class: 'table-scroll', tabindex: 0, role: 'group', 'aria-label': 'Table' },
        this.#tableOf(measured),
      ),
    );
    table.addEventListener('toggle', () => {
      if (table.open) this.#openTables.add(kind);
      else this.#openTables.delete(kind);
    });
    card.result.replaceChildren(
      el(
        'figure',
        { class: 'speed-figure' },
        el('figcaption', {}, ...this.#captionOf(measured)),
        this.#chartOf(measured, width),
        table,
      ),
      ...(kind === 'run' ? this.#costOfCall(measured) : []),
    );
  }

  #chartOf(measured: Measured, width: number): SVGSVGElement {
    if (measured.kind === 'run') return barChart(shapeRows(measured), measured.engine?.threads ?? 1, width);
    if (measured.kind === 'scaling') return scalingChart(scalingRows(measured), width);
    const { sizes } = measured;
    return sweepChart(sweepRows(measured), [sizes[0]?.bytes ?? 1, sizes.at(-1)?.bytes ?? 1], width);
  }

  #captionOf(measured: Measured): HTMLElement[] {
    const { kind, settings, engine, state } = measured;
    const title = el(
      'p',
      { class: 'speed-title' },
      el('strong', {}, titleOf(measured)),
      ` ${roundsText(measured)}`,
    );
    if (kind === 'sweep') {
      const names = sweepRows(measured)[0]?.of.map(({ name }) => name) ?? [];
      const legend = names.map((name) => el('li', {}, swatch(name), nameOf(name, engine?.threads ?? 1)));
      return [title, el('ul', { class: 'speed-legend' }, ...legend)];
    }
    const what =
      kind === 'run'
        ? `A bar is ${bytes(bytesMoved(settings))}, which a call reads and writes, over its median time; the thin line spans the middle half of the rounds.`
        : 'Dashed: if each thread did as much as one does alone. The thin lines span the middle half of the rounds.';
    const summary = state === 'running' ? 'Measuring.' : this.#summaryOf(measured);
    const isDoubtful =
      state !== 'running' && isUnsteady(kind === 'run' ? shapeRows(measured) : scalingRows(measured));
    return [
      title,
      el('p', { class: 'speed-summary' }, summary),
      ...(isDoubtful ? [el('p', { class: 'notice info' }, UNSTEADY)] : []),
      el('p', { class: 'hint' }, what),
    ];
  }

  /** What has come out, in a sentence. */
  #summaryOf(measured: Measured): string {
    if (measured.kind === 'scaling') {
      const rows = scalingRows(measured);
      const best = rows.reduce((a, b) => (b.ratio < a.ratio ? b : a), rows[0] as Row);
      return best.name === '1'
        ? 'One thread was the fastest.'
        : `${threadsText(Number(best.name))} took ${ratioText(best.ratio)} of the time of one.`;
    }
    if (measured.kind === 'sweep') return `${sweepRows(measured).length} sizes were measured.`;
    const rows = shapeRows(measured);
    const find = (name: ContenderName) => rows.find((row) => row.name === name);
    const tensor = find('tensor');
    const parts = [`Tensor: ${speedText(tensor?.speed.median ?? Number.NaN)} GB/s`];
    const [loop, copy] = [find('loop'), find('copy')];
    if (loop) parts.push(`${compared(loop.ratio)} the plain loop`);
    if (copy) parts.push(`${compared(copy.ratio)} memcpy`);
    return `${parts.join(', ')}.`;
  }

  #tableOf(measured: Measured): HTMLTableElement {
    const { kind, engine, errors } = measured;
    const threads = engine?.threads ?? 1;
    if (kind === 'sweep') {
      const rows = sweepRows(measured);
      const first = rows[0]?.of ?? [];
      return tableOf(
        'Median GB/s by the size of x, and the middle half of the rounds.',
        ['Size of x', 'Shape', 'Rounds', ...first.map(({ name }) => nameOf(name, threads))],
        rows.map(({ bytes, rows, columns, rounds, of }) => [
          binaryBytes(bytes),
          `${rows} × ${columns}`,
          String(rounds),
          ...of.map(({ speed }) => `${speedText(speed.median)} (${middleText(speed)})`),
        ]),
      );
    }
    const isRun = kind === 'run';
    const rows = isRun ? shapeRows(measured) : scalingRows(measured);
    return tableOf(
      isRun
        ? 'Error: the largest distance of eight groups of the result from float64, in units in the last place.'
        : 'The tensor with several numbers of threads.',
      [
        '',
        'GB/s',
        'Middle half',
        'Time of a call',
        isRun ? 'Time / Tensor' : 'Time / 1 thread',
        ...(isRun ? ['Error'] : []),
      ],
      rows.map((row) => [
        nameOf(row.name, threads),
        speedText(row.speed.median),
        middleText(row.speed),
        timeText(row.milliseconds),
        ratioText(row.ratio),
        ...(isRun ? [errorText(errors[row.name as ContenderName])] : []),
      ]),
    );
  }

  /** What a call costs, and whether the results are right. */
  #costOfCall(measured: Measured): HTMLElement[] {
    const threads = measured.engine?.threads ?? 1;
    const rows = callRows(measured);
    const errors = Object.entries(measured.errors);
    const lines: HTMLElement[] = [];
    if (errors.length > 0) {
      const list = errors.map(([name, ulp]) => `${nameOf(name, threads)} to ${significant(ulp, 2)} ulp`);
      lines.push(
        el(
          'div',
          {},
          el('dt', {}, 'Results agree with float64'),
          el('dd', { id: 'speed-agree' }, list.join(', ')),
        ),
      );
    }
    if (rows.length > 0) {
      const list = rows.map((row) => `${nameOf(row.name, threads)} ${timeText(row.milliseconds)}`);
      lines.push(
        el(
          'div',
          {},
          el('dt', {}, 'A call on a single number takes'),
          el('dd', { id: 'speed-call' }, list.join(', ')),
        ),
      );
    }
    if (
      measured.settings.dtype === 'float16' &&
      !rows.some(({ name }) => name === 'loop') &&
      rows.length > 0
    ) {
      lines.push(
        el(
          'div',
          {},
          el('dt', {}, 'No plain loop'),
          el('dd', {}, 'This browser has no Float16Array to write one with.'),
        ),
      );
    }
    return lines.length > 0 ? [el('dl', { class: 'speed-facts' }, ...lines)] : [];
  }

  #method(): HTMLElement {
    const points = [
      'All are warmed up, then timed in turn, round after round in random order: what slows the machine down meets all of them. A figure is the median of the rounds, and the thin lines show within what the middle half of them lay.',
      'GB/s counts x as read once and y as written once, whatever really happens. memcpy is counted in the same way.',
      'Tensor and array calls give the result a place to go (out). Gamma and beta are set where the operation has them.',
      'The plain loop uses typed arrays of the same type and goes over the numbers once for each statistic and once for y. JavaScript adds in float64. bfloat16 it converts from its bits and back.',
      'Before anything is timed, up to eight groups of each result are compared with float64.',
      'Every measurement has a worker of its own. Other programs, the battery and the heat of the machine change the figures: believe ratios more than GB/s, and measure twice.',
    ];
    return el(
      'section',
      { class: 'card', id: 'speed-method', 'aria-labelledby': 'speed-method-title' },
      el('h3', { id: 'speed-method-title' }, 'How it is measured'),
      el(
        'details',
        { class: 'speed-details' },
        el('summary', {}, 'What is counted, and what is not'),
        el('ul', {}, ...points.map((point) => el('li', {}, point))),
      ),
      el(
        'details',
        { class: 'speed-details', id: 'speed-loop-details' },
        el('summary', {}, 'The code of the plain loop'),
        el('pre', { tabindex: 0, role: 'group', 'aria-label': 'The code of the plain loop' }, this.#loop),
      ),
    );
  }

  #report(): string {
    const measured = KINDS.flatMap((kind) => this.#results.get(kind) ?? []);
    if (measured.length === 0) return '';
    return report(measured, {
      userAgent: navigator.userAgent,
      processors: navigator.hardwareConcurrency || 1,
      isIsolated: crossOriginIsolated,
    });
  }

  readonly #say = debounce(ANNOUNCE_MS, (sentence: string) => {
    this.#announcer.textContent = sentence;
  });
}

function tableOf(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): HTMLTableElement {
  return el(
    'table',
    {},
    el('caption', {}, caption),
    el(
      'thead',
      {},
      el('tr', {}, ...heads.map((head) => (head ? el('th', { scope: 'col' }, head) : el('td')))),
    ),
    el(
      'tbody',
      {},
      ...rows.map(([first, ...others]) =>
        el('tr', {}, el('th', { scope: 'row' }, first ?? ''), ...others.map((cell) => el('td', {}, cell))),
      ),
    ),
  );
}

/** How fast against something that takes so many times as long. */
function compared(ratio: number): string {
  return ratio >= 1
    ? `${ratioText(ratio)} times as fast as`
    : `${significant(100 * ratio, 2)} % of the speed of`;
}

function explained({ name, message, code }: WorkError): { message: string; code: string | undefined } {
  const isMemory = code === 'ERR_OUT_OF_MEMORY' || name === 'RangeError';
  return {
    code,
    message: isMemory ? `There is not enough memory (${message}). Choose a smaller shape.` : message,
  };
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const open: OpenView = (root, state) => {
  const speed = new Speed(root, state);
  return { restore: () => speed.restore(), hide: () => speed.hide() };
};

// Explore: brings together what the user opens and sets, the service that computes, and the views of the result.

import type { OpenView } from '../app/view.js';
import { groupAt, type Layout, layoutOf, spansOf } from '../compute/groups.js';
import { METHODS } from '../compute/methods.js';
import { count, hasBatch, shapeOf } from '../parse/dataset.js';
import { byId, debounce, el, showError } from '../ui/dom.js';
import { significant } from '../ui/format.js';
import { WorkClient, type WorkError } from '../work/client.js';
import { DataPanel } from './data_panel.js';
import { EnginePanel } from './engine_panel.js';
import { SharingFigure } from './figure/sharing_figure.js';
import { PAGE_SIZE, Pager } from './pager.js';
import { PictureView, type Pixel } from './picture_view.js';
import type { DatasetSummary, Finding, Page, Requests, RunSummary, Source } from './protocol.js';
import { type Place, SampleList } from './sample_list.js';
import { describe, elementOf, nameOfElement, SamplePanel } from './sample_panel.js';
import { SampleTable } from './sample_table.js';
import { SettingsPanel } from './settings_panel.js';
import { WORDS } from './words.js';

/** Elements of a sample that are drawn, at most. */
const MAX_POSITIONS = 256;
/** Pixels of a picture along its longer side that are drawn, at most. */
const LONGEST_SIDE = 1024;
/** Quiet time before settings take effect, before something is announced, and before waiting is shown. */
const [SETTLE_MS, ANNOUNCE_MS, BUSY_MS] = [120, 700, 250];
/** How long a file that is saved can be read. */
const SAVE_MS = 60_000;

type View = 'picture' | 'map' | 'table';

const FIRST: Place = { sample: 0, element: 0 };

class Explore {
  readonly #client = new WorkClient<Requests, Finding>('explore', (finding) =>
    this.#engine.showFinding(finding),
  );
  readonly #engine = new EnginePanel();
  readonly #data = new DataPanel((source) => void this.open(source));
  readonly #settings = new SettingsPanel(debounce(SETTLE_MS, () => void this.#run()));
  readonly #list = new SampleList(byId('view-map'), {
    onPoint: (place) => this.#point(place),
    onPick: (place) => this.#pick(place),
    onLeave: (direction, wholePage) => this.#leavePage(direction, wholePage),
  });
  readonly #table = new SampleTable(byId('view-table'), (sample) =>
    this.#pick({ sample, element: this.#picked.element }),
  );
  readonly #picture = new PictureView(byId('view-picture'), (pixel, isPick) =>
    this.#pointAtPixel(pixel, isPick),
  );
  readonly #sharing = new SharingFigure();
  readonly #pager = new Pager(
    (page) => void this.#showPage(page, { sample: 0, element: this.#picked.element }),
  );
  readonly #one = new SamplePanel((element) => this.#pick({ sample: this.#picked.sample, element }));

  #dataset: DatasetSummary | undefined;
  #summary: RunSummary | undefined;
  #layout: Layout | undefined;
  #page: Page | undefined;
  #view: View = 'map';
  #picked = FIRST;
  /** Counts what has been opened, so that late answers are known as such. */
  #opens = 0;
  #isRunning = false;
  #isOutdated = false;
  #busy = 0;

  constructor() {
    for (const radio of document.querySelectorAll<HTMLInputElement>('input[name="view"]')) {
      radio.addEventListener('change', () => this.#setView(radio.value as View));
    }
    byId('save').addEventListener('click', () => void this.#save());
  }

  /** Reads data and normalizes it. What cannot be read leaves everything as it was. */
  async open(source: Source): Promise<void> {
    const open = ++this.#opens;
    this.#data.showError(undefined);
    const name = source.kind === 'file' ? source.file.name : 'the numbers';
    try {
      const dataset = await this.#whileBusy(`Reading ${name}`, (onProgress) =>
        this.#client.request('open', source, { onProgress }),
      );
      if (open !== this.#opens) return;
      this.#dataset = dataset;
      this.#picked = FIRST;
      this.#summary = undefined;
      this.#page = undefined;
      this.#data.show(dataset, source);
      this.#settings.setDataset(dataset);
      byId('view-picture-label').hidden = dataset.kind !== 'picture';
      const view = dataset.kind === 'picture' ? 'picture' : this.#view === 'picture' ? 'map' : this.#view;
      this.#setView(view);
      await this.#run();
    } catch (error) {
      if (open !== this.#opens) return;
      const { message } = error as Error;
      this.#data.showError({ message: source.kind === 'file' ? `${name}: ${message}` : message });
    }
  }

  /** Normalizes with the settings as they are. Settings that change meanwhile are taken up once, at the end. */
  async #run(): Promise<void> {
    this.#isOutdated = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isOutdated) {
      this.#isOutdated = false;
      await this.#runOnce();
    }
    this.#isRunning = false;
  }

  /** An error leaves the last result, and says so. */
  async #runOnce(): Promise<void> {
    const dataset = this.#dataset;
    if (!dataset) return;
    showError(byId('run-error'), undefined);
    if (!this.#settings.check()) return this.#setStale(true);
    try {
      const before = this.#summary;
      const summary = await this.#whileBusy('Normalizing', () =>
        this.#client.request('run', this.#settings.settings),
      );
      if (dataset !== this.#dataset) return;
      this.#summary = summary;
      this.#layout = layoutOf(shapeOf(dataset), summary.settings, hasBatch(dataset));
      this.#setStale(false);
      this.#engine.show(summary, dataset.computed);
      byId('save').hidden = false;
      this.#setView(this.#view);
      const isAlike = before?.groups === summary.groups && before.size === summary.size;
      await this.#showPage(isAlike ? this.#pager.page : 0, isAlike ? this.#picked : FIRST);
      this.#announceRun();
      void this.#examine(summary);
    } catch (error) {
      if (this.#isOutdated) return;
      this.#setStale(true);
      if (!this.#settings.showError(error as WorkError)) {
        showError(byId('run-error'), error as WorkError);
      }
    }
  }

  /** Only now that everything is shown: it keeps the worker busy. */
  async #examine(summary: RunSummary): Promise<void> {
    try {
      await this.#client.request('examine', { run: summary.run });
    } catch (error) {
      if (summary === this.#summary) showError(byId('run-error'), error as WorkError);
    }
  }

  /** Gives the result to the user as a file. */
  async #save(): Promise<void> {
    const [summary, dataset] = [this.#summary, this.#dataset];
    if (!summary || !dataset) return;
    try {
      const file = await this.#client.request('save', { run: summary.run });
      const link = el('a', {
        href: URL.createObjectURL(file),
        download: `${METHODS[summary.settings.method].operation}.npy`,
      });
      link.click();
      // The browser has to have read it by then.
      setTimeout(() => URL.revokeObjectURL(link.href), SAVE_MS);
    } catch (error) {
      if (summary === this.#summary) showError(byId('run-error'), error as WorkError);
    }
  }

  /** Some groups of the result that is shown; undefined when there is another one by now. */
  async #fetch(from: number, samples: number): Promise<Page | undefined> {
    const summary = this.#summary;
    try {
      const page = await this.#client.request('page', { from, count: samples, positions: MAX_POSITIONS });
      return page.run === this.#summary?.run ? page : undefined;
    } catch (error) {
      if (summary === this.#summary) showError(byId('run-error'), error as WorkError);
      return undefined;
    }
  }

  async #showPage(number: number, pick: Place): Promise<void> {
    const [summary, dataset] = [this.#summary, this.#dataset];
    if (!summary || !dataset) return;
    const page = await this.#fetch(number * PAGE_SIZE, PAGE_SIZE);
    if (!page) return;
    this.#page = page;
    this.#list.show(page, summary);
    this.#table.show(page, summary);
    this.#pager.show(number, summary.groups, this.#view === 'picture');
    if (dataset.kind === 'picture') {
      const pixels = await this.#client.request('picture', { longestSide: LONGEST_SIDE });
      if (summary !== this.#summary) return;
      this.#picture.show(pixels, dataset, summary);
    }
    this.#pick({
      sample: Math.min(pick.sample, page.labels.length - 1),
      element: Math.min(pick.element, page.positions.length - 1),
    });
  }

  /** Shows a place for as long as the pointer is there. */
  #point(place: Place | undefined): void {
    this.#show(place ?? this.#picked);
  }

  #pick(place: Place): void {
    const isOther = place.element !== this.#picked.element && place.sample === this.#picked.sample;
    this.#picked = place;
    this.#show(place);
    // The listbox says which sample is picked; nothing else says which element.
    if (isOther && this.#list.hasFocus) this.#announceElement();
  }

  #show(place: Place): void {
    const [page, summary, dataset, layout] = [this.#page, this.#summary, this.#dataset, this.#layout];
    if (!page || !summary || !dataset || !layout || page.run !== summary.run) return;
    this.#list.mark(place, this.#picked);
    this.#table.mark(place.sample);
    this.#one.show(page, place.sample, place.element, summary.size, summary.settings);
    const [group, position] = [page.from + place.sample, page.positions[place.element] ?? 0];
    this.#sharing.show(dataset, layout, summary.settings, group, position);
    if (dataset.kind === 'picture') this.#markInPicture(group);
  }

  #leavePage(direction: -1 | 1, wholePage: boolean): void {
    const next = this.#pager.page + direction;
    if (next < 0 || next >= this.#pager.pages) return;
    const sample = wholePage ? this.#picked.sample : direction > 0 ? 0 : PAGE_SIZE - 1;
    void this.#showPage(next, { sample, element: this.#picked.element });
  }

  /** The group that a pixel of the picture belongs to, its first channel where each has its own. */
  #pointAtPixel({ row, column }: Pixel, isPick: boolean): void {
    const layout = this.#layout;
    if (!this.#summary || !layout) return;
    const { group: sample } = groupAt(layout, [row, column, 0].slice(0, this.#dataset?.axes.length));
    this.#markInPicture(sample);
    if (isPick)
      void this.#showPage(Math.floor(sample / PAGE_SIZE), { sample: sample % PAGE_SIZE, element: 0 });
    else this.#peek(sample);
  }

  /** Shows a sample of another page in numbers, while the pointer rests on it. */
  readonly #peek = debounce(40, async (sample: number) => {
    const summary = this.#summary;
    const page = await this.#fetch(sample, 1);
    const [dataset, layout] = [this.#dataset, this.#layout];
    if (!summary || !page || !dataset || !layout) return;
    this.#one.show(page, 0, 0, summary.size, summary.settings);
    this.#sharing.show(dataset, layout, summary.settings, sample, page.positions[0] ?? 0);
  });

  #markInPicture(group: number): void {
    if (!this.#summary || !this.#layout) return;
    const [rows, columns] = spansOf(this.#layout, group);
    this.#picture.mark(rows ?? [0, 1], columns ?? [0, 1]);
  }

  #setView(view: View): void {
    this.#view = view;
    for (const radio of document.querySelectorAll<HTMLInputElement>('input[name="view"]')) {
      radio.checked = radio.value === view;
    }
    for (const one of ['picture', 'map', 'table']) byId(`view-${one}`).hidden = one !== view;
    if (this.#summary) {
      this.#pager.show(this.#pager.page, this.#summary.groups, view === 'picture');
      this.#show(this.#picked);
    }
  }

  /** The result no longer belongs to the settings. */
  #setStale(isStale: boolean): void {
    const hasResult = this.#summary !== undefined;
    byId('result').classList.toggle('stale', isStale && hasResult);
    byId('stale').hidden = !isStale || !hasResult;
    if (!hasResult) this.#clearResult();
  }

  /** Nothing is known about new data yet, and what was known about other data would mislead. */
  #clearResult(): void {
    this.#engine.clear();
    this.#sharing.hide();
    byId('save').hidden = true;
    for (const id of ['view-picture', 'view-map', 'view-table', 'pager', 'one']) byId(id).hidden = true;
  }

  async #whileBusy<T>(
    what: string,
    work: (onProgress: (fraction: number) => void) => Promise<T>,
  ): Promise<T> {
    const bar = byId<HTMLProgressElement>('busy-bar');
    this.#busy++;
    const timer = setTimeout(() => {
      if (!this.#summary) this.#clearResult();
      byId('busy-label').textContent = what;
      bar.removeAttribute('value');
      byId('busy').hidden = false;
      this.#announce(`${what}.`);
    }, BUSY_MS);
    try {
      return await work((fraction) => {
        bar.value = fraction;
      });
    } finally {
      clearTimeout(timer);
      if (--this.#busy === 0) byId('busy').hidden = true;
    }
  }

  readonly #announce = debounce(ANNOUNCE_MS, (sentence: string) => {
    byId('announcer').textContent = sentence;
  });

  #announceRun(): void {
    const [page, summary] = [this.#page, this.#summary];
    if (!page || !summary) return;
    const { sample } = this.#picked;
    this.#announce(
      `${count(summary.groups, WORDS[summary.settings.method].group)} normalized. ` +
        `${page.labels[sample]?.code}: ${describe(page, sample, summary.settings)}.`,
    );
  }

  #announceElement(): void {
    const [page, summary] = [this.#page, this.#summary];
    if (!page || !summary) return;
    const { sample, element } = this.#picked;
    const { x, y } = elementOf(page, sample, element, summary.settings);
    this.#announce(`${nameOfElement(page, sample, element)}: ${significant(x)} becomes ${significant(y)}.`);
  }
}

export const open: OpenView = () => {
  const explore = new Explore();
  return { restore: () => void explore.open({ kind: 'sample' }) };
};

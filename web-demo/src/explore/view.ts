// Explore: brings together what the user opens and sets, the service that computes, and the views of the result.

import type { OpenView, State } from '../app/view.js';
import {
  elementIndex,
  groupAt,
  indexIn,
  type Layout,
  layoutOf,
  positionAt,
  spansOf,
} from '../compute/groups.js';
import { METHODS } from '../compute/methods.js';
import { DEFAULT_EXAMPLE, type ExampleName, isExampleName } from '../data/examples.js';
import { count, hasBatch, shapeOf } from '../parse/dataset.js';
import { byId, debounce, el, showError } from '../ui/dom.js';
import { significant } from '../ui/format.js';
import { WorkClient, type WorkError } from '../worker/client.js';
import { CapturePanel } from './capture/capture_panel.js';
import type { DeviceName } from './capture/device.js';
import { DataPanel } from './data_panel.js';
import { Distributions } from './distributions/view.js';
import { EnginePanel } from './engine_panel.js';
import { SharingFigure } from './figure/sharing_figure.js';
import { contrastOf, suitsGrid } from './grid/axes.js';
import { EditQueue } from './grid/edit_queue.js';
import { geometryOf } from './grid/geometry.js';
import { type Context, GridView } from './grid/grid_view.js';
import type { Place as Cell } from './grid/panel.js';
import type { Change, GridRequest } from './grid/protocol.js';
import { PAGE_SIZE, Pager } from './pager.js';
import { PictureView, type Pixel } from './picture_view.js';
import type {
  CapturedSource,
  DatasetSummary,
  Finding,
  Page,
  Requests,
  RunSummary,
  Source,
} from './protocol.js';
import { type Place, SampleList } from './sample_list.js';
import { describe, elementOf, nameOfElement, SamplePanel } from './sample_panel.js';
import { SampleTable } from './sample_table.js';
import { SettingsPanel } from './settings_panel.js';
import { cellFromText, dataKey, fileFromState, numbersFromState } from './state.js';
import { Takeaway } from './takeaway.js';
import { WORDS } from './words.js';

/** Elements of a sample that are drawn, at most. */
const MAX_POSITIONS = 256;
/** Pixels of a picture along its longer side that are drawn, at most. */
const LONGEST_SIDE = 1024;
/** Quiet time before settings take effect, before something is announced, and before waiting is shown. */
const [SETTLE_MS, ANNOUNCE_MS, BUSY_MS] = [120, 700, 250];
/** Time between two frames of the camera or the microphone that are checked and timed. */
const EXAMINE_MS = 2000;
/** Quiet time after a change of a number before its result is checked and timed. */
const SETTLED_MS = 300;
/** How long a file that is saved can be read. */
const SAVE_MS = 60_000;

const VIEWS = ['grid', 'picture', 'map', 'table'] as const;
type View = (typeof VIEWS)[number];

const FIRST: Place = { sample: 0, element: 0 };

class Explore {
  readonly #client = new WorkClient<Requests, Finding>('explore', (finding) =>
    this.#engine.showFinding(finding),
  );
  readonly #engine = new EnginePanel();
  readonly #data = new DataPanel((source) => void this.open(source));
  readonly #capture = new CapturePanel({
    onFrame: (source, isFirst) => (isFirst ? this.open(source) : this.#follow(source)),
    onStop: (name) => void this.#endCapture(name),
    onError: (message) => this.#data.showError(message === undefined ? undefined : { message }),
  });
  readonly #settings = new SettingsPanel(debounce(SETTLE_MS, () => void this.#run()));
  readonly #grid = new GridView(byId('view-grid'), {
    onFocus: (index) => this.#showElement(index),
    onEdit: (change, goesOn) => this.#edits.push(change, goesOn),
    onLeave: (direction, cell) => this.#leaveGrid(direction, cell),
    say: (sentence) => this.#announce(sentence),
  });
  readonly #edits = new EditQueue((change, goesOn) => this.#edit(change, goesOn));
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
  readonly #pager = new Pager((page) => {
    if (this.#view === 'grid') void this.#showGrid(page, { sample: 0, cell: this.#grid.place.cell });
    else void this.#showPage(page, { sample: 0, element: this.#picked.element });
  });
  readonly #one = new SamplePanel((element) => this.#pickElement(element));
  readonly #state: State;
  readonly #takeaway: Takeaway;

  readonly #distributions = new Distributions(this.#client);

  #dataset: DatasetSummary | undefined;
  #summary: RunSummary | undefined;
  #layout: Layout | undefined;
  #page: Page | undefined;
  #view: View = 'grid';
  /** What has been chosen by hand stays with other data. */
  #chosenView: View | undefined;
  #picked = FIRST;
  /** What the grid shows beside the result, and which page of it; the element that it has in focus, and in which group that is. */
  #context: Context | undefined;
  #gridPage = 0;
  /** The page of the lists of groups. */
  #pagerPage = 0;
  #element: readonly number[] | undefined;
  #shownOne: { page: Page; group: number } | undefined;
  #isFetchingOne = false;
  /** Counts what has been opened, so that late answers are known as such. */
  #opens = 0;
  #isRunning = false;
  #isOutdated = false;
  #busy = 0;
  /** When a frame of the camera or the microphone was examined last. */
  #examinedAt = 0;
  /** The example that has been opened last, whether its numbers have been changed, come from a link or from a device. */
  #example: ExampleName | undefined;
  #isChanged = false;
  #isLinked = false;
  #isCaptured = false;
  /** The type of the elements after a change. */
  #stored: string | undefined;
  /** What the address says of the data that are there. */
  #dataKey = '';

  constructor(state: State) {
    this.#state = state;
    this.#takeaway = new Takeaway(state, this.#client);
    for (const radio of document.querySelectorAll<HTMLInputElement>('input[name="view"]')) {
      radio.addEventListener('change', () => {
        this.#chosenView = radio.value as View;
        this.#state.set({ view: this.#chosenView });
        this.#setView(this.#chosenView);
      });
    }
    byId('save').addEventListener('click', () => void this.#save('save'));
    byId('save-picture').addEventListener('click', () => void this.#save('savePicture'));
  }

  /** Brings data, settings and place to what the address says. Data that are there already are not opened again. */
  async restore(): Promise<void> {
    const [example, view] = [this.#state.get('example'), this.#state.get('view')];
    this.#chosenView = VIEWS.find((one) => one === view);
    this.#takeaway.restoreLanguage();
    const key = dataKey(this.#state);
    const cell = this.#state.get('cell');
    const dataset = this.#dataset;
    if (dataset && key === this.#dataKey) {
      this.#settings.settings = this.#takeaway.settingsFor(dataset, true);
      this.#setView(this.#viewFor(dataset));
      await this.#run();
    } else {
      const numbers = numbersFromState(this.#state);
      const name = isExampleName(example) ? example : undefined;
      this.#takeaway.hold(numbers ? undefined : fileFromState(this.#state));
      this.#dataKey = key;
      await this.open(
        numbers
          ? { kind: 'numbers', numbers, example: name }
          : { kind: 'example', name: name ?? DEFAULT_EXAMPLE },
        true,
      );
    }
    await this.#goTo(cell);
  }

  /** Reads data and normalizes it. What cannot be read leaves everything as it was. */
  async open(source: Source, isRestored = false): Promise<void> {
    const wasLive = this.#capture.isLive;
    const isLive = source.kind === 'camera' || source.kind === 'microphone';
    if (!isLive) this.#capture.leave();
    const open = ++this.#opens;
    this.#data.showError(undefined);
    const wasExample = this.#example;
    this.#example =
      source.kind === 'example' ? source.name : source.kind === 'numbers' ? source.example : undefined;
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
      this.#edits.clear();
      if (!this.#takeaway.isHeld) this.#state.set({ view: this.#chosenView });
      this.#data.show(dataset, source);
      this.#isChanged = false;
      this.#isLinked = source.kind === 'numbers';
      this.#stored = undefined;
      this.#isCaptured = isLive;
      this.#settings.setDataset(dataset);
      // Settings that a link has for a file have waited for it.
      if (isRestored || this.#takeaway.isHeld)
        this.#settings.settings = this.#takeaway.settingsFor(dataset, isRestored);
      if (!isRestored) this.#takeaway.hold(undefined);
      byId('view-picture-label').hidden = dataset.kind !== 'picture';
      this.#setView(this.#viewFor(dataset));
      await this.#run();
    } catch (error) {
      if (open !== this.#opens) return;
      this.#example = wasExample;
      const { message } = error as Error;
      this.#data.showError({ message: source.kind === 'file' ? `${name}: ${message}` : message });
      if (wasLive && !isLive) await this.#examineFrame();
    }
  }

  /** Nobody is watched or listened to by what one does not see. */
  hide(): void {
    this.#capture.stop();
  }

  /**
   * Data that follow others of their kind several times a second: settings and places stay, and nothing is announced. Settings
   * that cannot be used leave the last result.
   */
  async #follow(source: CapturedSource): Promise<void> {
    const open = this.#opens;
    const isChanged = this.#isOutdated;
    this.#isOutdated = false;
    showError(byId('run-error'), undefined);
    if (!this.#settings.check()) return this.#setStale(true);
    try {
      const { dataset, summary } = await this.#client.request('next', {
        source,
        settings: this.#settings.settings,
      });
      if (open !== this.#opens) return;
      await this.#showResult(dataset, summary);
      if (isChanged) this.#announceRun();
      // Checking and timing each one would take longer than all the rest. The last one may come after the end.
      const isDue = performance.now() - this.#examinedAt > EXAMINE_MS;
      if (isDue || !this.#capture.isLive) await this.#examineFrame();
    } catch (error) {
      if (open === this.#opens) this.#showRunError(error as WorkError);
    }
  }

  /** The camera or the microphone is off: the last frame is examined as all data are. */
  async #endCapture(name: DeviceName): Promise<void> {
    this.#announce(`The ${name} is off. Its last frame stays.`);
    if (this.#isOutdated) await this.#run();
    else await this.#examineFrame();
  }

  async #examineFrame(): Promise<void> {
    const [summary, dataset] = [this.#summary, this.#dataset];
    if (!summary || !dataset) return;
    this.#engine.show(summary, dataset.computed);
    await this.#examine(summary);
    this.#examinedAt = performance.now();
  }

  #viewFor(dataset: DatasetSummary): View {
    if (dataset.kind === 'picture') return 'picture';
    if (this.#chosenView && this.#chosenView !== 'picture') return this.#chosenView;
    return suitsGrid(dataset) ? 'grid' : 'map';
  }

  /** Normalizes with the settings as they are. Settings that change meanwhile are taken up once, at the end. */
  async #run(): Promise<void> {
    this.#isOutdated = true;
    // What is live takes them up with its next frame.
    if (this.#isRunning || (this.#capture.isLive && this.#summary)) return;
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
      const summary = await this.#whileBusy('Normalizing', () =>
        this.#client.request('run', this.#settings.settings),
      );
      if (dataset !== this.#dataset) return;
      this.#engine.show(summary, dataset.computed);
      await this.#showResult(dataset, summary);
      this.#announceRun();
      void this.#examine(summary);
    } catch (error) {
      if (!this.#isOutdated) this.#showRunError(error as WorkError);
    }
  }

  async #showResult(dataset: DatasetSummary, summary: RunSummary): Promise<void> {
    const before = this.#summary;
    this.#dataset = dataset;
    this.#summary = summary;
    this.#layout = layoutOf(shapeOf(dataset), summary.settings, hasBatch(dataset));
    this.#setStale(false);
    byId('save').hidden = false;
    byId('save-picture').hidden = dataset.kind !== 'picture';
    this.#setView(this.#view);
    const isAlike = before?.groups === summary.groups && before.size === summary.size;
    if (this.#view === 'grid') await this.#showGrid(before ? this.#gridPage : 0, this.#grid.place);
    await this.#showPage(isAlike ? this.#pagerPage : 0, isAlike ? this.#picked : FIRST);
    void this.#take();
  }

  #showRunError(error: WorkError): void {
    this.#setStale(true);
    if (!this.#settings.showError(error)) showError(byId('run-error'), error);
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
  async #save(kind: 'save' | 'savePicture'): Promise<void> {
    const [summary, dataset] = [this.#summary, this.#dataset];
    if (!summary || !dataset) return;
    try {
      const file = await this.#client.request(kind, { run: summary.run });
      const link = el('a', {
        href: URL.createObjectURL(file),
        download: `${METHODS[summary.settings.method].operation}.${kind === 'save' ? 'npy' : 'png'}`,
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
      return page?.run === this.#summary?.run ? page : undefined;
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
    this.#pagerPage = number;
    this.#list.show(page, summary);
    this.#table.show(page, summary);
    this.#showPager();
    if (dataset.kind === 'picture') {
      const pixels = await this.#client.request('picture', { longestSide: LONGEST_SIDE });
      if (!pixels || summary !== this.#summary) return;
      this.#picture.show(pixels, dataset, summary);
    }
    this.#pick({
      sample: Math.min(pick.sample, page.labels.length - 1),
      element: Math.min(pick.element, page.positions.length - 1),
    });
  }

  #showPager(): void {
    const [summary, geometry] = [this.#summary, this.#context?.geometry];
    if (!summary) return;
    if (this.#view === 'grid' && geometry) {
      this.#pager.show(this.#gridPage, geometry.samples, false, geometry.perPage);
    } else this.#pager.show(this.#pagerPage, summary.groups, this.#view === 'picture');
  }

  #gridRequest(context: Context, choice: GridRequest['contrast'], page: number): GridRequest {
    const { size, offsets, perPage } = context.geometry;
    return { from: page * perPage, count: perPage, size, offsets, contrast: choice };
  }

  /** Samples of the result as a grid, and what stands beside it. */
  async #showGrid(number: number, cell: Cell): Promise<void> {
    const [summary, dataset, layout] = [this.#summary, this.#dataset, this.#layout];
    if (!summary || !dataset || !layout) return;
    const choice = contrastOf(summary.settings, dataset);
    const channels = choice.method === 'batch' ? choice : summary.settings;
    const context: Context = {
      dataset,
      layout,
      geometry: geometryOf(shapeOf(dataset), channels.axis[0]),
      contrast: {
        method: choice.method,
        layout: layoutOf(shapeOf(dataset), choice, hasBatch(dataset)),
        choice,
      },
    };
    const { samples, perPage } = context.geometry;
    const page = Math.min(number, Math.ceil(samples / perPage) - 1);
    try {
      const shown = await this.#client.request('grid', this.#gridRequest(context, choice, page));
      if (!shown || shown.run !== this.#summary?.run) return;
      this.#context = context;
      this.#gridPage = page;
      this.#grid.show(shown, summary, context);
      this.#grid.go(cell, this.#grid.hasFocus);
      this.#showPager();
    } catch (error) {
      if (summary === this.#summary) showError(byId('run-error'), error as WorkError);
    }
  }

  /** Changes the data. What is shown otherwise than in the grid is brought up to date when it is looked at. */
  async #edit(change: Change, goesOn: boolean): Promise<void> {
    const [dataset, context] = [this.#dataset, this.#context];
    if (!dataset || !context || !this.#summary) return;
    try {
      const grid = this.#gridRequest(context, context.contrast.choice, this.#gridPage);
      const edited = await this.#client.request('edit', { change, goesOn, grid });
      if (dataset !== this.#dataset) return;
      this.#summary = edited.summary;
      this.#engine.show(edited.summary, dataset.computed);
      this.#data.showShape({ ...dataset, stored: edited.stored });
      this.#grid.update(edited.page, edited.summary, edited.history, change);
      this.#isChanged = edited.history.isChanged;
      this.#stored = edited.stored;
      this.#examineSoon(edited.summary);
    } catch (error) {
      if (dataset === this.#dataset) showError(byId('run-error'), error as WorkError);
    }
  }

  readonly #examineSoon = debounce(SETTLED_MS, (summary: RunSummary) => {
    if (summary !== this.#summary) return;
    void this.#examine(summary);
    void this.#take();
  });

  /** Writes the result into the address, and as code. */
  async #take(): Promise<void> {
    const [dataset, summary] = [this.#dataset, this.#summary];
    if (!dataset || !summary) return;
    await this.#takeaway.show({ ...dataset, stored: this.#stored ?? dataset.stored }, summary, {
      example: this.#example,
      isDefault: this.#example === DEFAULT_EXAMPLE,
      isChanged: this.#isChanged || this.#isLinked,
      isCaptured: this.#isCaptured,
    });
    this.#dataKey = dataKey(this.#state);
  }

  /** The element that is marked in what is seen, by its indices in x. */
  #markedCell(): readonly number[] | undefined {
    const [dataset, layout, page, context] = [this.#dataset, this.#layout, this.#page, this.#context];
    if (!dataset || !layout) return undefined;
    if (this.#view === 'grid') {
      if (!context) return undefined;
      const { size, offsets, perPage } = context.geometry;
      const { sample, cell } = this.#grid.place;
      const flat = (this.#gridPage * perPage + sample) * size + (offsets[cell] ?? 0);
      const shape = shapeOf(dataset);
      return indexIn(shape, [...shape.keys()], flat);
    }
    const position = page?.positions[this.#picked.element];
    if (!page || position === undefined) return undefined;
    return elementIndex(layout, page.from + this.#picked.sample, position);
  }

  #takeCell(): void {
    const index = this.#markedCell();
    if (index) this.#takeaway.showCell(index);
  }

  /** Marks an element, on whichever page it is. */
  async #goTo(text: string | undefined): Promise<void> {
    const [dataset, layout] = [this.#dataset, this.#layout];
    const index = dataset && cellFromText(text, shapeOf(dataset));
    if (!dataset || !layout || !index || !this.#summary) return;
    if (this.#view === 'grid' && this.#context) {
      const { size, offsets, perPage } = this.#context.geometry;
      const flat = index.reduce((at, k, d) => at * (dataset.axes[d]?.size ?? 1) + k, 0);
      const sample = Math.floor(flat / size);
      const cell = Math.max(0, offsets.indexOf(flat % size));
      await this.#showGrid(Math.floor(sample / perPage), { sample: sample % perPage, cell });
      return;
    }
    const { group } = groupAt(layout, index);
    await this.#showPage(Math.floor(group / PAGE_SIZE), { sample: group % PAGE_SIZE, element: 0 });
    const element = this.#page?.positions.indexOf(positionAt(layout, index)) ?? -1;
    if (element > 0) this.#pick({ sample: group % PAGE_SIZE, element });
  }

  #leaveGrid(direction: -1 | 1, { sample, cell }: Cell): void {
    const geometry = this.#context?.geometry;
    const next = this.#gridPage + direction;
    if (!geometry || next < 0 || next * geometry.perPage >= geometry.samples) return;
    const isBeyond = sample < 0 || sample >= geometry.perPage;
    void this.#showGrid(next, {
      sample: !isBeyond ? sample : direction > 0 ? 0 : geometry.perPage - 1,
      cell,
    });
  }

  /** Shows the group of an element in numbers, that of the newest one when several are asked for. */
  async #showElement(index: readonly number[]): Promise<void> {
    this.#element = index;
    this.#takeCell();
    if (this.#isFetchingOne) return;
    this.#isFetchingOne = true;
    try {
      for (let asked: readonly number[] | undefined; asked !== this.#element; ) {
        asked = this.#element;
        const [summary, dataset, layout] = [this.#summary, this.#dataset, this.#layout];
        if (!asked || !summary || !dataset || !layout || this.#view !== 'grid') return;
        const [{ group }, position] = [groupAt(layout, asked), positionAt(layout, asked)];
        const takes = { from: group, count: 1, positions: MAX_POSITIONS, around: position };
        const page = await this.#client.request('page', takes);
        if (!page || page.run !== this.#summary?.run || layout !== this.#layout) {
          asked = undefined;
          if (this.#summary === summary) return;
          continue;
        }
        this.#shownOne = { page, group };
        this.#one.show(page, 0, page.positions.indexOf(position), summary.size, summary.settings);
        this.#distributions.show(page, 0, summary);
        this.#sharing.show(dataset, layout, summary.settings, group, position);
      }
    } catch (error) {
      showError(byId('run-error'), error as WorkError);
    } finally {
      this.#isFetchingOne = false;
    }
  }

  /** An element of the group that is shown in numbers. */
  #pickElement(element: number): void {
    const [one, layout, dataset] = [this.#shownOne, this.#layout, this.#dataset];
    if (this.#view !== 'grid') this.#pick({ sample: this.#picked.sample, element });
    else if (one && layout && dataset) {
      const index = elementIndex(layout, one.group, one.page.positions[element] ?? 0);
      this.#grid.goTo(index.reduce((at, k, d) => at * (dataset.axes[d]?.size ?? 1) + k, 0));
    }
  }

  /** Shows a place for as long as the pointer is there. */
  #point(place: Place | undefined): void {
    this.#show(place ?? this.#picked);
  }

  #pick(place: Place): void {
    const isOther = place.element !== this.#picked.element && place.sample === this.#picked.sample;
    this.#picked = place;
    this.#show(place);
    this.#takeCell();
    // The listbox says which sample is picked; nothing else says which element.
    if (isOther && this.#list.hasFocus) this.#announceElement();
  }

  #show(place: Place): void {
    const [page, summary, dataset, layout] = [this.#page, this.#summary, this.#dataset, this.#layout];
    if (!page || !summary || !dataset || !layout || page.run !== summary.run || this.#view === 'grid') return;
    this.#list.mark(place, this.#picked);
    this.#table.mark(place.sample);
    this.#one.show(page, place.sample, place.element, summary.size, summary.settings);
    this.#distributions.show(page, place.sample, summary);
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
    this.#distributions.show(page, 0, summary);
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
    for (const one of VIEWS) byId(`view-${one}`).hidden = one !== view;
    if (!this.#summary) return;
    this.#showPager();
    if (view === 'grid') void this.#showGrid(this.#gridPage, this.#grid.place);
    else if (this.#page && this.#page.run !== this.#summary.run)
      void this.#showPage(this.#pagerPage, this.#picked);
    else this.#show(this.#picked);
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
    this.#distributions.hide();
    byId('save').hidden = true;
    byId('save-picture').hidden = true;
    for (const id of [...VIEWS.map((one) => `view-${one}`), 'pager', 'one']) byId(id).hidden = true;
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

export const open: OpenView = (_, state) => {
  const explore = new Explore(state);
  return { restore: () => void explore.restore(), hide: () => explore.hide() };
};

// What one can take along of Explore: its state in the address, and the settings as code.

import type { State } from '../app/view.js';
import { METHODS } from '../compute/methods.js';
import { hasBatch, shapeOf } from '../parse/dataset.js';
import { byId } from '../ui/dom.js';
import type { WorkClient } from '../worker/client.js';
import { ExportPanel } from './export/export_panel.js';
import { defaultChannel, defaultSpanned } from './grid/axes.js';
import {
  type DatasetSummary,
  type Finding,
  NUMBER_TYPES,
  type Requests,
  type RunSummary,
  type Settings,
} from './protocol.js';
import {
  cellToText,
  completed,
  type DefaultAxis,
  fileToState,
  MOST_NUMBERS,
  numbersToState,
  settingsFromState,
  settingsToState,
  type Texts,
} from './state.js';

/** Where the data of a result come from, as far as a link is concerned. */
export interface Origin {
  /** An example, and whether its numbers are still its own. */
  readonly example: string | undefined;
  readonly isDefault: boolean;
  readonly isChanged: boolean;
  /** What the camera or the microphone had. */
  readonly isCaptured: boolean;
}

export class Takeaway {
  readonly #state: State;
  readonly #client: WorkClient<Requests, Finding>;
  readonly #panel: ExportPanel;
  /** A link is about data that are not in it, so that it is kept until others are opened. */
  #isHeld = false;

  constructor(state: State, client: WorkClient<Requests, Finding>) {
    this.#state = state;
    this.#client = client;
    this.#panel = new ExportPanel({
      onLanguage: (language) => this.#set({ code: language === 'typescript' ? undefined : language }),
      link: () => state.link(),
    });
  }

  /** Keeps the address as it is, and says which data it is about; undefined when it may change again. */
  hold(file: string | undefined): void {
    this.#isHeld = file !== undefined;
    const notice = byId('link-file');
    notice.hidden = file === undefined;
    notice.textContent =
      file === undefined
        ? ''
        : `This link is about “${file}”, and the numbers are not in it. Open that here: its settings wait for it.`;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** The settings of the address, completed for some data; the defaults while those wait for other data. */
  settingsFor(dataset: DatasetSummary, mayWait: boolean): Settings {
    const linked = mayWait && this.#isHeld ? {} : settingsFromState(this.#state);
    return completed(linked, shapeOf(dataset), defaultAxisOf(dataset));
  }

  restoreLanguage(): void {
    this.#panel.language = this.#state.get('code');
  }

  /** Writes a result into the address, and as code. */
  async show(dataset: DatasetSummary, summary: RunSummary, origin: Origin): Promise<void> {
    const isSmall = dataset.elements <= MOST_NUMBERS && !origin.isCaptured;
    const values = isSmall ? await this.#client.request('values', { run: summary.run }) : undefined;
    if (isSmall && !values) return; // there is a newer one
    const shape = shapeOf(dataset);
    const type = NUMBER_TYPES.find((name) => name === dataset.stored);
    const isOwn = origin.example === undefined || origin.isChanged;
    let data: Texts = fileToState(undefined);
    let example = origin.isDefault ? undefined : origin.example;
    let hint = 'The link restores data, settings and view.';
    if (isOwn && values && type) {
      data = numbersToState({ shape, type, isPicture: !hasBatch(dataset), values: [...values] });
      example = origin.example;
      hint =
        'The link holds these numbers, the settings and the view. No server sees them: browsers keep back what follows #.';
    } else if (origin.isCaptured) {
      hint = 'The link restores the settings and the view, not what was recorded.';
    } else if (origin.example !== undefined && origin.isChanged) {
      hint =
        'These are too many numbers for a link: it restores the settings and the view, and the data without your changes.';
    } else if (origin.example === undefined) {
      data = fileToState(dataset.name);
      hint = 'The link restores the settings and the view, and names the data: they stay on this machine.';
    }
    this.#set({ example, ...data, ...settingsToState(summary.settings, shape, defaultAxisOf(dataset)) });
    const is16Bit = dataset.computed !== 'float32' && dataset.computed !== 'float64';
    this.#panel.show(
      {
        shape,
        hasBatch: hasBatch(dataset),
        stored: dataset.stored,
        computed: dataset.computed === 'float64' ? 'float64' : 'float32',
        values,
        npy: dataset.kind === 'npy' && !origin.isChanged ? dataset.name : undefined,
        settings: summary.settings,
      },
      is16Bit ? `${hint} The code computes in float32, the page in ${dataset.computed}.` : hint,
    );
  }

  /** Which element is marked. */
  showCell(index: readonly number[]): void {
    this.#set({ cell: cellToText(index) });
  }

  #set(texts: Texts): void {
    if (!this.#isHeld) this.#state.set(texts);
  }
}

function defaultAxisOf(dataset: DatasetSummary): DefaultAxis {
  return (method) => {
    const channel = defaultChannel(dataset);
    if (!METHODS[method].isPerChannel) return defaultSpanned(dataset);
    return channel === undefined ? [] : [channel];
  };
}

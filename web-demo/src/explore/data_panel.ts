// Where data comes from: dropped, chosen, pasted, or the sample that ships with the page.

import { EXAMPLE_NAMES, EXAMPLE_TITLES, isExampleName } from '../data/examples.js';
import { shorten } from '../parse/dataset.js';
import { byId, el, showError } from '../ui/dom.js';
import type { DatasetSummary, Source } from './protocol.js';

export class DataPanel {
  readonly #tensor = byId<HTMLSelectElement>('tensor');
  /** Which tensor is open. */
  #opened = 0;
  readonly #examples = byId<HTMLSelectElement>('example');
  readonly #own = el('option', { value: 'own', hidden: true }, 'Your data');

  /** @param open - called with whatever the user brings */
  constructor(open: (source: Source) => void) {
    const input = byId<HTMLInputElement>('file');
    input.addEventListener('change', () => {
      const [file] = input.files ?? [];
      if (file) open({ kind: 'file', file });
      input.value = ''; // so that the same file can be chosen again
    });
    this.#examples.append(
      ...EXAMPLE_NAMES.map((name) => el('option', { value: name }, EXAMPLE_TITLES[name])),
      this.#own,
    );
    this.#examples.addEventListener('change', () => {
      const { value } = this.#examples;
      if (isExampleName(value)) open({ kind: 'example', name: value });
    });
    byId('paste-form').addEventListener('submit', (event) => {
      event.preventDefault();
      open({ kind: 'text', text: byId<HTMLTextAreaElement>('paste').value });
    });
    document.addEventListener('paste', (event) => {
      const isTyping = event.target instanceof Element && event.target.closest('input, textarea') !== null;
      const source = isTyping ? undefined : sourceIn(event.clipboardData);
      if (!source) return;
      event.preventDefault();
      open(source);
    });
    this.#tensor.addEventListener('change', () =>
      open({ kind: 'tensor', index: Number(this.#tensor.value) }),
    );
    acceptDrops(open);
  }

  /** Says what is shown now. */
  show(dataset: DatasetSummary, source: Source): void {
    this.showError(undefined);
    byId('dataset').hidden = false;
    byId('dataset-name').textContent = dataset.name;
    this.showShape(dataset);
    byId('dataset-notes').replaceChildren(...dataset.notes.map((note) => el('li', {}, note)));
    const example = source.kind === 'example' ? source.name : undefined;
    byId('iris-source').hidden = example !== 'iris';
    this.#own.hidden = example !== undefined;
    this.#examples.value = example ?? 'own';
    this.#showTensors(dataset, source);
  }

  showShape(dataset: DatasetSummary): void {
    const shape = dataset.axes.map(({ size }) => size).join(', ');
    const type =
      dataset.stored === dataset.computed
        ? dataset.stored
        : `${dataset.stored}, computed as ${dataset.computed}`;
    byId('dataset-shape').replaceChildren(el('code', {}, `[${shape}]`), ` ${type}`);
  }

  #showTensors({ tensors, tensor = 0 }: DatasetSummary, source: Source): void {
    byId('tensors').hidden = tensors === undefined;
    this.#opened = tensor;
    if (tensors && source.kind !== 'tensor') {
      this.#tensor.replaceChildren(
        ...tensors.map(({ name, dtype, shape }, i) =>
          el('option', { value: i }, `${name} [${shorten(shape.join(', '))}] ${dtype}`),
        ),
      );
    }
    this.#tensor.value = String(tensor);
  }

  showError(error: { message: string; code?: string | undefined } | undefined): void {
    showError(byId('data-error'), error);
    if (error) this.#tensor.value = String(this.#opened);
  }
}

/** The whole page takes files, so that none opens in place of it. */
function acceptDrops(open: (source: Source) => void): void {
  const veil = byId('drop-veil');
  // Moving over a child leaves the parent, so entries and exits are counted.
  let depth = 0;
  const setDepth = (value: number) => {
    depth = Math.max(0, value);
    veil.hidden = depth === 0;
  };
  const brings = (event: DragEvent) =>
    event.dataTransfer?.types.some((type) => type === 'Files' || type === 'text/plain') ?? false;
  document.addEventListener('dragenter', (event) => {
    if (brings(event)) setDepth(depth + 1);
  });
  document.addEventListener('dragleave', (event) => {
    if (brings(event)) setDepth(depth - 1);
  });
  document.addEventListener('dragover', (event) => {
    if (brings(event)) event.preventDefault();
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    setDepth(0);
    const source = sourceIn(event.dataTransfer);
    if (source) open(source);
  });
}

function sourceIn(transfer: DataTransfer | null): Source | undefined {
  const [file] = transfer?.files ?? [];
  if (file) return { kind: 'file', file };
  const text = transfer?.getData('text/plain');
  return text ? { kind: 'text', text } : undefined;
}

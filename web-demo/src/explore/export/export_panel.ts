// Take it with you: the settings as code, and a link that restores everything.

import { copyButton } from '../../ui/copy.js';
import { byId, el } from '../../ui/dom.js';
import type { Language } from './code.js';
import { tokensOf } from './highlight.js';
import type { Subject } from './subject.js';

const TITLES: Readonly<Record<Language, string>> = {
  typescript: 'TypeScript',
  keras: 'Keras',
  pytorch: 'PyTorch',
  onnx: 'ONNX',
  numpy: 'NumPy',
};

const HINTS: Readonly<Record<Language, string>> = {
  typescript: 'This package, in a browser or in Node: npm install layernorm.',
  keras: 'Keras 3.',
  pytorch: 'PyTorch, by its functions.',
  onnx: 'The nodes with their attributes, in a model that runs in the evaluator of ONNX.',
  numpy: 'The formula, with sums in float64.',
};

interface Handlers {
  readonly onLanguage: (language: Language) => void;
  /** The address that restores what is seen. */
  readonly link: () => string;
}

export class ExportPanel {
  readonly #root = byId('export');
  readonly #code = el('code');
  readonly #hint = el('p', { class: 'hint', id: 'export-hint' });
  readonly #radios: readonly HTMLInputElement[];
  readonly #linkHint = el('p', { class: 'hint', id: 'link-hint' });
  #language: Language = 'typescript';
  #subject: Subject | undefined;
  #text = '';

  constructor(handlers: Handlers) {
    this.#radios = (Object.keys(TITLES) as Language[]).map((value) => {
      const radio = el('input', {
        type: 'radio',
        name: 'language',
        value,
        checked: value === this.#language,
      });
      radio.addEventListener('change', () => {
        this.language = value;
        handlers.onLanguage(value);
      });
      return radio;
    });
    const live = el('p', { class: 'visually-hidden', 'aria-live': 'polite' });
    const announce = (sentence: string): void => {
      live.textContent = sentence;
    };
    const copyCode = el('button', { class: 'button', id: 'copy-code', type: 'button' }, 'Copy the code');
    const copyLink = el('button', { class: 'button', id: 'copy-link', type: 'button' }, 'Copy link');
    copyButton(copyCode, () => this.#text, announce);
    copyButton(copyLink, handlers.link, announce);
    this.#root.append(
      el(
        'div',
        { class: 'card-head' },
        el('h2', { id: 'export-title' }, 'Take it with you'),
        el('div', { class: 'card-actions' }, copyCode, copyLink),
      ),
      el(
        'fieldset',
        { class: 'segmented export-languages' },
        el('legend', { class: 'visually-hidden' }, 'These settings as code for'),
        ...this.#radios.map((radio) =>
          el('label', {}, radio, el('span', {}, TITLES[radio.value as Language])),
        ),
      ),
      this.#hint,
      el(
        'section',
        { class: 'export-code', id: 'export-code', tabindex: 0, 'aria-label': 'Code' },
        el('pre', {}, this.#code),
      ),
      this.#linkHint,
      live,
    );
  }

  get language(): Language {
    return this.#language;
  }

  /** Another one than there are is not taken. */
  set language(language: string | undefined) {
    const known = this.#radios.find(({ value }) => value === language)?.value as Language | undefined;
    this.#language = known ?? 'typescript';
    for (const radio of this.#radios) radio.checked = radio.value === this.#language;
    void this.#write();
  }

  /** @param linkHint - what the link restores of the data */
  show(subject: Subject, linkHint: string): void {
    this.#subject = subject;
    this.#linkHint.textContent = linkHint;
    this.#root.hidden = false;
    void this.#write();
  }

  /** What writes the code is loaded after the first result. */
  async #write(): Promise<void> {
    let write: typeof import('./code.js').codeOf;
    try {
      ({ codeOf: write } = await import('./code.js'));
    } catch {
      this.#hint.textContent = 'The code could not be loaded. Reload the page to try again.';
      return;
    }
    if (!this.#subject) return;
    const text = write(this.#subject, this.#language);
    if (text === this.#text) return;
    this.#text = text;
    this.#hint.textContent = HINTS[this.#language];
    this.#code.replaceChildren(
      ...tokensOf(this.#text).map(({ text, kind }) =>
        kind ? el('span', { class: `code-${kind}` }, text) : text,
      ),
    );
  }
}

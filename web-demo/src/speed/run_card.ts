// A card with one kind of measurement: the button that starts it, how far it has come, and what it has found.

import { el, showError } from '../ui/dom.js';

interface RunCardOptions {
  readonly id: string;
  readonly title: string;
  readonly intro: string;
  readonly button: string;
  readonly onRun: () => void;
  readonly onCancel: () => void;
}

export class RunCard {
  readonly element: HTMLElement;
  /** What has been found; hidden until there is something. */
  readonly result: HTMLElement;
  readonly #run: HTMLButtonElement;
  readonly #cancel = el('button', { class: 'button', type: 'button' }, 'Cancel');
  readonly #busy: HTMLElement;
  readonly #label: HTMLElement;
  readonly #bar: HTMLProgressElement;
  readonly #error: HTMLElement;
  readonly #stale: HTMLElement;

  constructor({ id, title, intro, button, onRun, onCancel }: RunCardOptions) {
    this.#run = el('button', { class: 'button primary', type: 'button', id: `${id}-run` }, button);
    this.#run.addEventListener('click', () => {
      if (this.#run.getAttribute('aria-disabled') !== 'true') onRun();
    });
    this.#cancel.id = `${id}-cancel`;
    this.#cancel.addEventListener('click', onCancel);
    this.#label = el('label', { for: `${id}-bar`, id: `${id}-doing` });
    this.#bar = el('progress', { id: `${id}-bar`, max: 1 });
    this.#busy = el(
      'div',
      { class: 'speed-busy', id: `${id}-busy`, hidden: true },
      this.#label,
      this.#bar,
      this.#cancel,
    );
    this.#error = el('p', { class: 'notice error', id: `${id}-error`, role: 'alert', hidden: true });
    this.#stale = el(
      'p',
      { class: 'notice info', id: `${id}-stale`, hidden: true },
      'The settings are others by now. This is the result of those that it names.',
    );
    this.result = el('div', { id: `${id}-result`, hidden: true });
    this.element = el(
      'section',
      { class: 'card', id, 'aria-labelledby': `${id}-title` },
      el('div', { class: 'card-head' }, el('h3', { id: `${id}-title` }, title), this.#run),
      el('p', { class: 'hint speed-intro' }, intro),
      this.#busy,
      this.#error,
      this.#stale,
      this.result,
    );
  }

  set button(text: string) {
    this.#run.textContent = text;
  }

  /** Its button cannot be used while something else is measured, but keeps the focus. */
  set isDisabled(isDisabled: boolean) {
    if (isDisabled) this.#run.setAttribute('aria-disabled', 'true');
    else this.#run.removeAttribute('aria-disabled');
  }

  set isStale(isStale: boolean) {
    this.#stale.hidden = !isStale;
  }

  begin(): void {
    showError(this.#error, undefined);
    this.doing('Starting', 0);
    this.#busy.hidden = false;
  }

  doing(what: string, fraction: number): void {
    this.#label.textContent = what;
    this.#bar.value = fraction;
  }

  end(): void {
    const hadFocus = this.#busy.contains(document.activeElement);
    this.#busy.hidden = true;
    if (hadFocus) this.#run.focus();
  }

  showError(error: { message: string; code?: string | undefined }): void {
    showError(this.#error, error);
  }
}

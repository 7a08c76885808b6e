// Geometry: samples of three numbers as points in space, and where each step of a normalization brings them.

import type { OpenView, State, View } from '../app/view.js';
import { debounce, el, showError } from '../ui/dom.js';
import { significant } from '../ui/format.js';
import { NumberSlider } from '../ui/number_slider.js';
import type { Camera } from '../ui/projection.js';
import { WorkClient, type WorkError } from '../worker/client.js';
import { CAMERAS, type Choice, DEFAULT, EXPONENTS, PITCH, REACH, readChoice, writeChoice } from './choice.js';
import './geometry.css';
import { SpacePicture } from './picture.js';
import { type MethodName, type Outcome, type Requests, STEPS, type Step, type Triple } from './protocol.js';
import { cloudOf, pointAt, RADIUS } from './space.js';
import { epsilonSentence, REACHED, STEP_WORDS } from './words.js';

/** Quiet time before something is announced. */
const ANNOUNCE_MS = 700;
/** Coordinates are shown with so many digits after the point. */
const DIGITS = 4;

type Name = 'x' | 'gamma' | 'beta';
const SIGNS: Record<Name, string> = { x: 'x', gamma: 'γ', beta: 'β' };
const INDICES = ['₁', '₂', '₃'];

class Geometry implements View {
  readonly #state: State;
  readonly #client = new WorkClient<Requests>('geometry');
  readonly #picture: SpacePicture;
  readonly #sliders: Record<Name, NumberSlider[]>;
  readonly #epsilon: NumberSlider;
  readonly #epsilonText = el('p', { class: 'hint', id: 'geometry-epsilon-text' });
  readonly #yaw: NumberSlider;
  readonly #pitch: NumberSlider;
  readonly #betas: HTMLElement;
  readonly #noBeta = el('p', { class: 'hint' }, 'RMS normalization has no beta.');
  readonly #methods = new Map<MethodName, HTMLInputElement>();
  readonly #steps = new Map<Step, { radio: HTMLInputElement; text: HTMLElement }>();
  readonly #next = el('button', { class: 'button', type: 'button', id: 'geometry-next' });
  readonly #see = el('p', { class: 'geometry-see', id: 'geometry-see' });
  readonly #aside = el('p', { class: 'hint', id: 'geometry-aside' });
  readonly #own = scrollable('Your point at each step');
  readonly #ownText = el('p', { class: 'hint', id: 'geometry-own-text' });
  readonly #all = scrollable('All points');
  readonly #engine = el('p', { class: 'hint', id: 'geometry-engine' });
  readonly #error = el('p', { class: 'notice error', role: 'alert', hidden: true });
  readonly #live = el('p', { class: 'visually-hidden', 'aria-live': 'polite', id: 'geometry-live' });
  #choice = DEFAULT;
  #outcome: Outcome | undefined;
  /** Whether another choice has been made since the outcome was asked for. */
  #isOutdated = false;
  #isRunning = false;
  /** Whether the next outcome moves the points to where it has them; it does not follow a slider late. */
  #moves = false;

  constructor(root: HTMLElement, state: State) {
    this.#state = state;
    const triple = (name: Name) =>
      [0, 1, 2].map(
        (d) =>
          new NumberSlider({
            id: `geometry-${name}-${d + 1}`,
            label: `${SIGNS[name]}${INDICES[d]}`,
            min: -REACH[name],
            max: REACH[name],
            step: 0.1,
            value: DEFAULT[name][d] as number,
            onChange: (value) => {
              const next = this.#choice[name].map((k, i) => (i === d ? value : k)) as unknown as Triple;
              this.#choose({ [name]: next });
            },
          }),
      );
    this.#sliders = { x: triple('x'), gamma: triple('gamma'), beta: triple('beta') };
    this.#epsilon = new NumberSlider({
      id: 'geometry-epsilon',
      label: 'Power of ten',
      min: EXPONENTS.least,
      max: EXPONENTS.most,
      step: 0.25,
      value: DEFAULT.exponent,
      valueText: (value) => significant(10 ** value, 2),
      onChange: (exponent) => this.#choose({ exponent }),
    });
    const turn = (id: string, label: string, most: number, part: keyof Camera) =>
      new NumberSlider({
        id: `geometry-${id}`,
        label,
        min: -most,
        max: most,
        step: 1,
        value: Math.round(DEFAULT.camera[part]),
        valueText: (value) => `${Math.round(value)} degrees`,
        onChange: (value) => this.#lookFrom({ ...this.#choice.camera, [part]: value }, false),
      });
    this.#yaw = turn('yaw', 'Around', 180, 'yaw');
    this.#pitch = turn('pitch', 'From above', PITCH, 'pitch');
    this.#betas = el(
      'div',
      { class: 'geometry-triple' },
      ...this.#sliders.beta.map(({ element }) => element),
    );

    const box = el('div', { class: 'space-box', id: 'geometry-picture' });
    this.#picture = new SpacePicture(box, DEFAULT.camera, (camera) => this.#turned(camera));
    root.append(
      this.#introduction(),
      el('div', { class: 'with-controls geometry' }, this.#results(box), this.#controls()),
    );
  }

  restore(): void {
    this.#choice = readChoice((name) => this.#state.get(name));
    this.#picture.turnTo(this.#choice.camera, false);
    this.#update();
    this.#ask(this.#outcome !== undefined);
  }

  #introduction(): HTMLElement {
    return el(
      'div',
      { class: 'geometry-intro' },
      el('h2', {}, 'Geometry: what is left of three numbers'),
      el(
        'p',
        { class: 'lead' },
        'A sample of three numbers is a point in space. Then each step of a normalization is a movement that one can see, ' +
          'and so is what it takes away from a sample.',
      ),
    );
  }

  #controls(): HTMLElement {
    const methods = el('div', { class: 'segmented' });
    for (const [method, title] of [
      ['layer', 'Layer'],
      ['rms', 'RMS'],
    ] as const) {
      const radio = el('input', { type: 'radio', name: 'geometry-method', value: method });
      radio.addEventListener('change', () => this.#choose({ method }, true));
      this.#methods.set(method, radio);
      methods.append(el('label', {}, radio, el('span', {}, title)));
    }
    const points = el(
      'button',
      { class: 'button', type: 'button', id: 'geometry-cloud' },
      'Other points around it',
    );
    points.addEventListener('click', () => this.#choose({ seed: (this.#choice.seed % 9999) + 1 }, true));
    const reset = el(
      'button',
      { class: 'button', type: 'button', id: 'geometry-reset' },
      'Set γ to 1 and β to 0',
    );
    reset.addEventListener('click', () => this.#choose({ gamma: [1, 1, 1], beta: [0, 0, 0] }, true));
    const field = (title: string, hint: string, ...content: HTMLElement[]): HTMLElement =>
      el(
        'fieldset',
        { class: 'field' },
        el('legend', {}, title),
        el('p', { class: 'hint' }, hint),
        ...content,
      );
    const three = (name: Name) =>
      el('div', { class: 'geometry-triple' }, ...this.#sliders[name].map(({ element }) => element));
    const form = el(
      'form',
      {},
      field('Method', 'Layer normalization subtracts the mean, RMS normalization does not.', methods),
      field('Your point', 'A sample of three numbers.', three('x'), points),
      field('Epsilon', 'Added before the root is taken.', this.#epsilon.element, this.#epsilonText),
      field('Gamma', 'Multiplies each normalized coordinate.', three('gamma')),
      field('Beta', 'Is added to it then.', this.#betas, this.#noBeta, reset),
    );
    form.addEventListener('submit', (event) => event.preventDefault());
    return el(
      'div',
      { class: 'controls' },
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'geometry-settings' },
        el('h3', { id: 'geometry-settings' }, 'Settings'),
        form,
      ),
    );
  }

  #results(box: HTMLElement): HTMLElement {
    const steps = el('div', { class: 'segmented geometry-steps' });
    for (const step of STEPS) {
      const radio = el('input', { type: 'radio', name: 'geometry-step', value: step });
      const text = el('span', {});
      radio.addEventListener('change', () => this.#choose({ step }, true));
      this.#steps.set(step, { radio, text });
      steps.append(el('label', {}, radio, text));
    }
    this.#next.addEventListener('click', () =>
      this.#choose({ step: ((this.#choice.step + 1) % STEPS.length) as Step }, true),
    );
    const look = (id: string, title: string, camera: Camera): HTMLElement => {
      const button = el('button', { class: 'chip-button', type: 'button', id: `geometry-look-${id}` }, title);
      button.addEventListener('click', () => this.#lookFrom(camera, true));
      return button;
    };
    return el(
      'div',
      { class: 'results skip-target', tabindex: -1 },
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'geometry-title' },
        el('h3', { id: 'geometry-title' }, 'Step by step'),
        el(
          'div',
          { class: 'geometry-stepper' },
          el('fieldset', {}, el('legend', { class: 'visually-hidden' }, 'Step'), steps),
          this.#next,
        ),
        this.#error,
        el('figure', {}, el('figcaption', {}, el('div', {}, this.#see, this.#aside)), box),
        el(
          'fieldset',
          { class: 'geometry-turn' },
          el('legend', {}, 'Turn'),
          el('p', { class: 'hint' }, 'Or drag the picture.'),
          el(
            'div',
            { class: 'presets' },
            look('start', 'As at first', CAMERAS.start),
            look('axis', 'Along (1, 1, 1)', CAMERAS.axis),
            look('edge', 'Disc from its edge', CAMERAS.edge),
          ),
          el('div', { class: 'geometry-angles' }, this.#yaw.element, this.#pitch.element),
        ),
      ),
      el(
        'section',
        { class: 'card', 'aria-labelledby': 'geometry-own' },
        el('h3', { id: 'geometry-own' }, 'Your point in numbers'),
        this.#own,
        this.#ownText,
        el('details', { class: 'geometry-all' }, el('summary', {}, 'All points as a table'), this.#all),
        this.#engine,
      ),
      this.#live,
    );
  }

  /** @param moves - whether the points go to their new places; they follow a slider at once */
  #choose(part: Partial<Choice>, moves = false): void {
    this.#choice = { ...this.#choice, ...part };
    this.#state.set(writeChoice(this.#choice));
    this.#update();
    if ('step' in part) this.#show(moves);
    else this.#ask(moves);
  }

  #lookFrom(camera: Camera, moves: boolean): void {
    this.#turned(camera);
    this.#picture.turnTo(camera, moves);
  }

  #turned(camera: Camera): void {
    this.#choice = { ...this.#choice, camera };
    this.#state.set(writeChoice(this.#choice));
    this.#updateAngles();
  }

  /** Controls say what is chosen. */
  #update(): void {
    const { method, step, exponent } = this.#choice;
    for (const [name, radio] of this.#methods) radio.checked = name === method;
    for (const [number, { radio, text }] of this.#steps) {
      radio.checked = number === step;
      text.textContent = STEP_WORDS[method][number].short;
    }
    this.#next.textContent = step === 3 ? 'Back to x' : 'Next step';
    for (const name of ['x', 'gamma', 'beta'] as const) {
      this.#sliders[name].forEach((slider, d) => {
        const value = this.#choice[name][d] as number;
        if (slider.value !== value) slider.value = value;
      });
    }
    if (this.#epsilon.value !== exponent) this.#epsilon.value = exponent;
    this.#epsilonText.textContent = `ε = ${significant(10 ** exponent, 2)}`;
    this.#betas.hidden = method === 'rms';
    this.#noBeta.hidden = method !== 'rms';
    this.#updateAngles();
  }

  #updateAngles(): void {
    const { yaw, pitch } = this.#choice.camera;
    if (Math.round(this.#yaw.value) !== Math.round(yaw)) this.#yaw.value = Math.round(yaw);
    if (Math.round(this.#pitch.value) !== Math.round(pitch)) this.#pitch.value = Math.round(pitch);
  }

  /** Computes with the choice as it is, and once more if it changes meanwhile. */
  async #ask(moves: boolean): Promise<void> {
    this.#moves = moves;
    this.#isOutdated = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isOutdated) {
      this.#isOutdated = false;
      const { method, exponent, gamma, beta, seed, x } = this.#choice;
      const points = Float32Array.from([...cloudOf(seed), ...x]);
      try {
        const outcome = await this.#client.request('normalize', {
          method,
          epsilon: 10 ** exponent,
          gamma,
          beta,
          points,
        });
        if (this.#isOutdated) continue;
        this.#outcome = outcome;
        showError(this.#error, undefined);
        this.#show(this.#moves);
      } catch (error) {
        showError(this.#error, error as WorkError);
      }
    }
    this.#isRunning = false;
  }

  #show(moves: boolean): void {
    const outcome = this.#outcome;
    if (!outcome || this.#isOutdated) return;
    const { method, step, gamma, beta } = this.#choice;
    const { stages } = outcome;
    const isLast = step === 3;
    const isInside = stages[2].distance.map((distance) => distance < REACHED * RADIUS);
    this.#picture.show(
      {
        method,
        step,
        points: stages[step].points,
        before: step > 0 ? stages[(step - 1) as Step].points : undefined,
        isInside,
        gamma: isLast ? gamma : [1, 1, 1],
        beta: isLast && method === 'layer' ? beta : [0, 0, 0],
      },
      moves,
    );
    this.#see.textContent = STEP_WORDS[method][step].see;
    this.#aside.textContent = epsilonSentence(
      method,
      isInside.filter((inside) => inside).length,
      isInside.length,
    );
    this.#showOwn(outcome);
    this.#showAll(outcome);
    const { version, variant, threads } = outcome.engine;
    this.#engine.textContent = `Computed by layernorm ${version} in float32: ${variant}, ${threads === 1 ? '1 thread' : `${threads} threads`}.`;
    this.#announce();
  }

  #showOwn({ stages, rstd }: Outcome): void {
    const { method, step } = this.#choice;
    const own = rstd.length - 1;
    const rows = STEPS.map((number) => {
      const { points, mean, distance } = stages[number];
      const isNow = number === step;
      const numbers = [...pointAt(points, own), mean[own] as number, distance[own] as number];
      return el(
        'tr',
        { class: isNow ? 'chosen' : undefined, 'aria-current': isNow ? 'step' : undefined },
        el('th', { scope: 'row' }, STEP_WORDS[method][number].row),
        ...numbers.map((value) => el('td', {}, coordinate(value))),
      );
    });
    this.#own.replaceChildren(
      tableOf(
        'Its coordinates at each step',
        ['Step', '1', '2', '3', 'Mean', 'From origin'],
        rows,
        'geometry-table',
      ),
    );
    const mean = coordinate(stages[0].mean[own] as number);
    this.#ownText.textContent =
      `${method === 'layer' ? `The mean ${mean} is subtracted; w` : 'W'}hat is left is multiplied by rstd = ` +
      `${significant(rstd[own] as number)}. On the ${method === 'layer' ? 'circle' : 'sphere'} the distance is √3 = ${coordinate(RADIUS)}.`;
  }

  #showAll({ stages, rstd }: Outcome): void {
    const { method, step } = this.#choice;
    const { points, distance } = stages[step];
    const rows = rstd.map((_, i) =>
      el(
        'tr',
        {},
        el('th', { scope: 'row' }, i === rstd.length - 1 ? 'yours' : String(i)),
        ...[...pointAt(points, i), distance[i] as number].map((value) => el('td', {}, coordinate(value))),
      ),
    );
    this.#all.replaceChildren(
      tableOf(
        `At the step ${STEP_WORDS[method][step].row}`,
        ['Point', '1', '2', '3', 'From origin'],
        rows,
        'geometry-all-table',
      ),
    );
  }

  readonly #announce = debounce(ANNOUNCE_MS, () => {
    const outcome = this.#outcome;
    if (!outcome) return;
    const { method, step } = this.#choice;
    const own = outcome.rstd.length - 1;
    const { points, distance } = outcome.stages[step];
    const place = pointAt(points, own).map(coordinate).join(', ');
    this.#live.textContent =
      `Step ${step}, ${STEP_WORDS[method][step].row}: your point is at ${place}, ` +
      `${coordinate(distance[own] as number)} from the origin.`;
  });
}

/** Rounding leaves some 1e-8 in place of 0. */
function coordinate(value: number): string {
  return Number.isFinite(value) && Math.abs(value) < 0.5 * 10 ** -DIGITS
    ? '0'
    : value.toFixed(DIGITS).replace('-', '−');
}

/** What is wider or higher than its place, and can be scrolled by the keyboard. */
function scrollable(label: string): HTMLElement {
  return el('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': label });
}

function tableOf(caption: string, heads: string[], rows: HTMLElement[], id: string): HTMLElement {
  return el(
    'table',
    { id },
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, ...rows),
  );
}

export const open: OpenView = (root, state) => new Geometry(root, state);

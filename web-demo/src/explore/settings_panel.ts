// Method, axis, groups, epsilon, gamma and beta: brings the controls together, since most depend on others.

import { countOf, layoutOf, parametersOf } from '../compute/groups.js';
import { centers, METHODS } from '../compute/methods.js';
import { count, hasBatch, shapeOf } from '../parse/dataset.js';
import { byId } from '../ui/dom.js';
import type { WorkError } from '../worker/client.js';
import { AxisControl } from './axis_control.js';
import { EpsilonControl } from './epsilon_control.js';
import { GroupsControl } from './groups_control.js';
import { MethodControl } from './method_control.js';
import { ParameterControl } from './parameter_control.js';
import type { DatasetSummary, Settings } from './protocol.js';
import { WORDS } from './words.js';

export class SettingsPanel {
  readonly #method: MethodControl;
  readonly #axis: AxisControl;
  readonly #groups: GroupsControl;
  readonly #epsilon: EpsilonControl;
  readonly #gamma: ParameterControl;
  readonly #beta: ParameterControl;
  #dataset: DatasetSummary | undefined;

  constructor(onChange: () => void) {
    const changed = (): void => {
      this.#fit();
      onChange();
    };
    this.#method = new MethodControl(() => {
      this.#axis.setMethod(this.#method.method);
      changed();
    });
    this.#axis = new AxisControl(changed);
    this.#groups = new GroupsControl(changed);
    this.#epsilon = new EpsilonControl(onChange);
    this.#gamma = new ParameterControl(
      byId('gamma-field'),
      { name: 'gamma', title: 'Gamma', option: 'scale', effect: 'multiplies by gamma', neutral: 1 },
      onChange,
    );
    this.#beta = new ParameterControl(
      byId('beta-field'),
      { name: 'beta', title: 'Beta', option: 'center', effect: 'adds beta', neutral: 0 },
      onChange,
    );
    byId<HTMLFormElement>('settings').addEventListener('submit', (event) => event.preventDefault());
  }

  get settings(): Settings {
    return {
      method: this.#method.method,
      axis: this.#axis.axis,
      groups: this.#groups.groups,
      epsilon: this.#epsilon.epsilon,
      gamma: this.#gamma.value,
      beta: this.#beta.value,
    };
  }

  /**
   * Sets everything at once, without a call of `onChange`: after `setDataset`, since what can be chosen depends on the data. What
   * the data leave no room for, such as an axis that x does not have, stays as it is.
   */
  set settings({ method, axis, groups, epsilon, gamma, beta }: Settings) {
    this.clearErrors();
    this.#method.method = method;
    this.#axis.setMethod(this.#method.method);
    this.#axis.axis = axis;
    this.#fit();
    if (this.#method.method === 'group') this.#groups.groups = groups;
    this.#epsilon.epsilon = epsilon;
    this.#fit();
    this.#gamma.value = gamma;
    this.#beta.value = beta;
  }

  /** Whether what has been typed can be sent. Says at the control what cannot. */
  check(): boolean {
    this.clearErrors();
    const [gamma, beta] = [this.#gamma.check(), this.#beta.check()];
    const noEpsilon = Number.isNaN(this.#epsilon.epsilon);
    if (noEpsilon) this.#epsilon.showError({ message: 'Enter a number, such as 0.001 or 1e-5.' });
    return gamma && beta && !noEpsilon;
  }

  /** Starts over with the axes of other data. The method stays where the data have room for it. */
  setDataset(dataset: DatasetSummary): void {
    this.#dataset = dataset;
    this.#method.setDataset(dataset);
    this.#axis.setDataset(dataset);
    this.#axis.setMethod(this.#method.method);
    this.#fit();
  }

  /** Shows an error of the worker at the control that caused it. False when it is about none of them. */
  showError(error: WorkError): boolean {
    if (error.code === 'ERR_AXIS') this.#axis.showError(error);
    else if (/: gamma /.test(error.message)) this.#gamma.showError(error);
    else if (/: beta /.test(error.message)) this.#beta.showError(error);
    else if (/: epsilon /.test(error.message)) this.#epsilon.showError(error);
    else return false;
    return true;
  }

  clearErrors(): void {
    this.#axis.showError(undefined);
    this.#epsilon.showError(undefined);
    this.#gamma.showError(undefined);
    this.#beta.showError(undefined);
  }

  /** Brings everything that depends on method, axis and groups up to date. */
  #fit(): void {
    const dataset = this.#dataset;
    if (!dataset) return;
    const { method } = this.settings;
    const { hasGamma, hasBeta, isPerChannel } = METHODS[method];
    this.#epsilon.setMethod(method);
    const [channelAxis] = this.#axis.axis;
    const channels = channelAxis === undefined ? 1 : dataset.axes[channelAxis]?.size;
    this.#groups.fit(method === 'group' ? channels : undefined);
    byId('parameters-hint').textContent = WORDS[method].lacks ?? '';
    byId('parameters-hint').hidden = WORDS[method].lacks === undefined;
    this.#gamma.setPossible(hasGamma);
    this.#beta.setPossible(hasBeta);
    this.#sayOutcome(dataset);
    if (!isPerChannel && channelAxis === undefined) return;
    const layout = layoutOf(shapeOf(dataset), this.settings, hasBatch(dataset));
    for (const parameter of [this.#gamma, this.#beta]) parameter.fit(dataset, layout, parametersOf(layout));
  }

  /** Says how many groups there are, and what is worth knowing where the shape makes the method a special case. */
  #sayOutcome(dataset: DatasetSummary): void {
    const { settings } = this;
    const { isPerChannel, keepsSamples } = METHODS[settings.method];
    const isNone = !isPerChannel && settings.axis.length === 0;
    const groups = countOf(layoutOf(shapeOf(dataset), settings, hasBatch(dataset)));
    const size = dataset.elements / groups;
    const samples = hasBatch(dataset) && settings.axis[0] !== 0 ? (dataset.axes[0]?.size ?? 1) : 1;
    const counted = `${count(groups, WORDS[settings.method].group)} of ${count(size, 'element')}${groups === 1 ? '' : ' each'}`;
    const across =
      samples > 1 && isPerChannel && !keepsSamples ? `, across all ${count(samples, 'sample')}` : '';
    byId('axis-outcome').textContent = isNone ? '' : counted + across;

    const notes: string[] = [];
    if (size === 1 && centers(METHODS[settings.method]) && !isNone) {
      notes.push(
        'Each group is a single number here, which is its own mean: what is left is 0, or beta. ' +
          'In data of more dimensions, such as a picture, there is more to a group.',
      );
    }
    const isOne = !hasBatch(dataset) || (dataset.axes[0]?.size === 1 && settings.axis[0] !== 0);
    if (settings.method === 'batch' && isOne && size > 1) {
      notes.push('In a batch of one, batch normalization is the same as instance normalization.');
    }
    byId('method-note').hidden = notes.length === 0;
    byId('method-note').textContent = notes.join(' ');
  }
}

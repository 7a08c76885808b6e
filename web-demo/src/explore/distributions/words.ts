// What is said of the distributions.

import { centers, METHODS } from '../../compute/methods.js';
import { count } from '../../parse/dataset.js';
import { significant } from '../../ui/format.js';
import type { Parameter, Settings } from '../protocol.js';
import { near } from '../sample_panel.js';
import { WORDS } from '../words.js';
import type { Distribution, Sides } from './distribution.js';

/** Mean and standard deviation, and what is missing from the bars. */
export function statisticsText({ mean, std, extent }: Distribution): string {
  const { nan, infinite } = extent;
  const missing = [
    nan > 0 ? `${count(nan, 'element')} NaN` : [],
    infinite > 0 ? `${count(infinite, 'element')} infinite` : [],
  ].flat();
  const statistics = `mean ${near(mean, std)}, standard deviation ${significant(std)}`;
  return missing.length > 0 ? `${statistics}; not drawn: ${missing.join(', ')}` : statistics;
}

/** What happens to the shape of one group. */
export function shapeText({ before, after }: Sides<Distribution>, settings: Settings): string {
  const { group } = WORDS[settings.method];
  const isPoint = ({ extent }: Distribution) => !(extent.max > extent.min);
  if (isPoint(before) || isPoint(after)) return '';
  if (!isAlike(settings)) return 'Gamma and beta differ from element to element, so the shape changes too.';
  const mirrored = typeof settings.gamma === 'number' && settings.gamma < 0 ? ' and mirrored' : '';
  const done = centers(METHODS[settings.method]) ? 'shifted and scaled' : 'scaled';
  return `All elements of a ${group} are ${done} alike${mirrored}: place and width change, the shape does not.`;
}

/** What the groups of a page have in common after, and what they do not. */
export function togetherText({ method, gamma, beta }: Settings): string {
  const { group, scale } = WORDS[method];
  const before = `Before, each ${group} lies where its own numbers are. `;
  const isList = typeof gamma === 'object' || typeof beta === 'object';
  if (isList) {
    return METHODS[method].isPerChannel
      ? `${before}After, each lies where the gamma and beta of its channels put it.`
      : `${before}After, gamma and beta act on each element as well.`;
  }
  const size = significant(Math.abs(gamma ?? 1));
  if (!centers(METHODS[method])) {
    return `${before}After, each has a ${scale.long} of ${size}. No mean is subtracted, so they need not lie on top of each other.`;
  }
  return `${before}After, they lie on top of each other: mean ${significant(beta ?? 0)} and standard deviation ${size}, or less where epsilon counts.`;
}

/** Whether all elements of a group have the same gamma and beta. */
function isAlike({ method, gamma, beta }: Settings): boolean {
  const isOne = (parameter: Parameter) =>
    typeof parameter !== 'object' || parameter.every((value) => value === parameter[0]);
  return method === 'batch' || method === 'instance' || (isOne(gamma) && isOne(beta));
}

// The figure of who shares a statistic, in words: its caption, which is also its text alternative.

import { countOf, elementIndex, groupLabel, type Layout, spansOf } from '../../compute/groups.js';
import { METHODS } from '../../compute/methods.js';
import { count, hasBatch } from '../../parse/dataset.js';
import { whole } from '../../ui/format.js';
import type { DatasetSummary, Settings } from '../protocol.js';
import { WORDS } from '../words.js';
import { type Block, WAYS, type Way } from './block.js';

type Axes = DatasetSummary['axes'];

const DIRECTIONS: Record<Way, string> = { across: 'to the right', down: 'down', deep: 'to the back' };

/** What is written at an edge. The words count where there are some: '2 samples', 'axis 0: 2', 'axes 2, 3: 3 × 3'. */
export function edgeLabel(axes: Axes, dims: readonly number[]): string {
  const named = dims.map((d) => {
    const { size, noun } = axes[d] as Axes[number];
    return noun === undefined ? undefined : `${whole(size)} ${size === 1 ? noun.replace(/s$/, '') : noun}`;
  });
  if (named.every((name) => name !== undefined)) return named.join(' × ');
  const sizes = dims.map((d) => whole(axes[d]?.size ?? 1)).join(' × ');
  return `${dims.length > 1 ? 'axes' : 'axis'} ${dims.join(', ')}: ${sizes}`;
}

/** What the figure shows, and how: the picture itself says the latter to those who see it. */
export function captionOf(
  dataset: DatasetSummary,
  layout: Layout,
  { method }: Settings,
  { sides }: Block,
  group: number,
  position: number,
): { says: string; draws: string } {
  const { axes, elements } = dataset;
  const what =
    METHODS[method].scale === 'std' ? 'one mean and one variance' : `one ${WORDS[method].scale.long}`;
  const groups = countOf(layout);
  const size = elements / groups;
  const { code } = groupLabel(layout, axes, group);
  const cell = `x[${elementIndex(layout, group, position).join(', ')}]`;
  const shares =
    groups === 1
      ? `All ${count(size, 'cell')} share ${what}.`
      : size === 1
        ? `The filled cell, ${cell}, shares ${what} with no other.`
        : `The ${count(size, 'filled cell')} ${code} share ${what}, the marked one, ${cell}, among them.`;
  const samples = hasBatch(dataset) && axes.length > 1 ? (axes[0]?.size ?? 1) : 1;
  const [from, to] = spansOf(layout, group)[0] ?? [0, 1];
  const within =
    samples === 1
      ? ''
      : to - from === samples
        ? ` They go through ${samples === 2 ? 'both samples' : `all ${count(samples, 'sample')}`}.`
        : ' No other sample has a part in that.';
  const others = groups > 1 ? 'The other groups alternate in two tones. ' : '';
  const ways = WAYS.filter((way) => sides[way].dims.length > 0)
    .map((way) => {
      const { dims } = sides[way];
      return `${dims.length > 1 ? 'axes' : 'axis'} ${dims.join(' and ')} ${DIRECTIONS[way]}`;
    })
    .join(', ');
  const isCut = WAYS.some((way) => sides[way].count < sides[way].size);
  return {
    says: shares + within,
    draws: ` ${others}${ways.charAt(0).toUpperCase()}${ways.slice(1)}${isCut ? '; dots stand for what is left out' : ''}.`,
  };
}

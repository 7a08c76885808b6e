// PyTorch: its functions where it has one that does the same, with dimensions moved to where it wants them.

import { affineLines, dataOf, float, reshaped, weightsOf } from './python.js';
import { hasParts, isTrailing, type Plan, sameNumbers, withoutNeutral } from './subject.js';
import { comment, list, pythonTuple } from './text.js';

export function pytorchOf(given: Plan): string {
  const plan = withoutNeutral(given);
  const calls = callOf(plan, Boolean(given.gamma), Boolean(given.beta));
  const usesFunctional = calls.some((line) => /\bF\./.test(line));
  return [
    'import torch',
    ...(usesFunctional ? ['import torch.nn.functional as F'] : []),
    ...spaced(dataOf(plan, 'torch')),
    ...weightsOf(plan, 'torch'),
    '',
    ...calls,
    'print(y)',
    '',
  ].join('\n');
}

/** An import stays with the imports. */
function spaced(lines: string[]): string[] {
  return lines[0]?.startsWith('import') ? lines : ['', ...lines];
}

/** @param hasGamma - whether a layer of a model has one, if only one of ones */
function callOf(plan: Plan, hasGamma: boolean, hasBeta: boolean): string[] {
  switch (plan.method) {
    case 'layer':
    case 'rms':
      return overLastDimensions(plan, hasGamma, hasBeta);
    case 'unit':
      return [
        `y = F.normalize(x, p=2, dim=${plan.axes.length === 1 ? plan.axes[0] : pythonTuple(plan.axes)}, eps=${float(plan.epsilon)})`,
      ];
    case 'batch':
    case 'group':
    case 'instance':
      return plan.size > 1
        ? perChannel(plan, hasGamma || hasBeta)
        : writtenOut(plan, 'PyTorch refuses groups of a single number, so this is the formula.');
  }
}

function affineOf({ gamma, beta, epsilon }: Plan): string {
  return `${gamma ? 'weight=gamma, ' : ''}${beta ? 'bias=beta, ' : ''}eps=${float(epsilon)}`;
}

function overLastDimensions(plan: Plan, hasGamma: boolean, hasBeta: boolean): string[] {
  const { method, axes, shape, epsilon } = plan;
  const sizes = list(axes.map((d) => shape[d] as number));
  const name = method === 'layer' ? 'layer_norm' : 'rms_norm';
  const call = (x: string): string => `F.${name}(${x}, ${sizes}, ${affineOf(plan)})`;
  const newer = method === 'rms' ? ['# PyTorch 2.4 and newer have rms_norm.'] : [];
  if (isTrailing(plan)) {
    const flags = hasGamma
      ? hasBeta || method === 'rms'
        ? ''
        : ', bias=False'
      : hasBeta
        ? ''
        : ', elementwise_affine=False';
    const layer = `torch.nn.${method === 'layer' ? 'LayerNorm' : 'RMSNorm'}(${sizes}, eps=${float(epsilon)}${flags})`;
    return [...newer, `# As a layer of a model: ${layer}`, `y = ${call('x')}`];
  }
  const from = axes.length === 1 ? `${axes[0]}` : pythonTuple(axes);
  const places = axes.map((_, i) => i - axes.length);
  const to = axes.length === 1 ? '-1' : pythonTuple(places);
  return [
    ...newer,
    ...comment(
      `${name} takes the last dimensions only: the others are moved out of the way, and back again.`,
    ),
    `moved = x.movedim(${from}, ${to})`,
    `y = ${call('moved')}`,
    `y = y.movedim(${to}, ${from})`,
  ];
}

function perChannel(plan: Plan, hasWeights: boolean): string[] {
  const { method, shape, subject, channel, channels, groups, epsilon } = plan;
  const spatial = shape.length - 2;
  const call = {
    batch: (x: string) => `F.batch_norm(${x}, None, None, training=True, ${affineOf(plan)})`,
    group: (x: string) => `F.group_norm(${x}, ${groups}, ${affineOf(plan)})`,
    instance: (x: string) => `F.instance_norm(${x}, ${affineOf(plan)})`,
  }[method as 'batch' | 'group' | 'instance'];
  const dimensions = method === 'batch' ? Math.max(1, spatial) : spatial;
  const layer = {
    batch: `BatchNorm${dimensions}d(${channels}, eps=${float(epsilon)}${hasWeights ? '' : ', affine=False'})`,
    group: `GroupNorm(${groups}, ${channels}, eps=${float(epsilon)}${hasWeights ? '' : ', affine=False'})`,
    instance: `InstanceNorm${dimensions}d(${channels}, eps=${float(epsilon)}${hasWeights ? ', affine=True' : ''})`,
  }[method as 'batch' | 'group' | 'instance'];
  const exists = method === 'group' || dimensions <= 3;
  const isMoved = channel !== 1;
  const isShaped = !sameNumbers(shape, subject.shape);
  let before = isShaped ? reshaped('x', subject.shape, shape) : 'x';
  let after = '';
  const comments: string[] = [];
  if (isShaped) comments.push('# x becomes a batch of one.');
  if (isMoved) {
    before += `.movedim(${channel}, 1)`;
    after += `.movedim(1, ${channel})`;
    comments.push('# PyTorch has the channels in dimension 1: they are moved there, and back again.');
  }
  if (isShaped) after += '.reshape(x.shape)';
  const during = method === 'batch' ? ['# training=True takes the statistics of this batch.'] : [];
  if (before === 'x') {
    return [...during, ...(exists ? [`# As a layer of a model: torch.nn.${layer}`] : []), `y = ${call('x')}`];
  }
  return [...comments, `moved = ${before}`, ...during, `y = ${call('moved')}`, `y = y${after}`];
}

function writtenOut(plan: Plan, why: string): string[] {
  const { layout, epsilon } = plan;
  const isSplit = hasParts(plan);
  const parts = isSplit ? 'parts' : 'x';
  const over = `dim=${pythonTuple(layout.reduced)}, keepdim=True`;
  return [
    `# ${why}`,
    ...(isSplit ? [`parts = x.reshape(${layout.shape.join(', ')})`] : []),
    `mean = ${parts}.mean(${over})`,
    `variance = ${parts}.var(${over}, unbiased=False)`,
    `y = (${parts} - mean) * torch.rsqrt(variance + ${float(epsilon)})`,
    ...affineLines(plan),
    ...(isSplit ? ['y = y.reshape(x.shape)'] : []),
  ];
}

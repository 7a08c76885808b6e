// Keras 3: its layers, and the formula where it has none.

import { METHODS } from '../../compute/methods.js';
import { affineLines, dataOf, float, lastAsMinusOne, reshaped, weightsOf } from './python.js';
import { isTrailing, type Plan, sameNumbers, withoutNeutral } from './subject.js';
import { list, pythonTuple } from './text.js';

export function kerasOf(plan: Plan): string {
  const lines = callOf(plan);
  return [
    'import keras',
    'import numpy as np',
    '',
    ...dataOf(plan, 'np'),
    ...weightsOf(withoutNeutral(plan), 'np'),
    '',
    ...lines,
    'print(keras.ops.convert_to_numpy(y))',
    '',
  ].join('\n');
}

function callOf(plan: Plan): string[] {
  const { method, axes, shape, epsilon, groups, channel } = plan;
  const axis = axes.length === 1 ? String(lastAsMinusOne(axes[0] as number, shape.length)) : list(axes);
  const channelAxis = lastAsMinusOne(channel, shape.length);
  switch (method) {
    case 'layer':
      return layer(plan, `LayerNormalization(axis=${axis}, epsilon=${float(epsilon)}${flagsOf(plan)}`);
    case 'rms':
      return isTrailing(plan)
        ? layer(plan, `RMSNormalization(axis=${axis}, epsilon=${float(epsilon)}`)
        : writtenOut(plan, 'RMSNormalization takes the last dimensions only, so this is the formula.');
    case 'unit':
      return epsilon === METHODS.unit.epsilon
        ? layer(plan, `UnitNormalization(axis=${axis}`)
        : writtenOut(plan, 'The epsilon of UnitNormalization is 1e-12, so this is the formula.');
    case 'batch':
      return [
        '# training=True takes the statistics of this batch.',
        ...layer(
          plan,
          `BatchNormalization(axis=${channelAxis}, epsilon=${float(epsilon)}${flagsOf(plan)}`,
          ', training=True',
        ),
      ];
    case 'group':
    case 'instance':
      return [
        ...(method === 'instance'
          ? ['# Instance normalization is group normalization with one group for each channel.']
          : []),
        ...layer(
          plan,
          `GroupNormalization(groups=${method === 'instance' ? -1 : groups}, axis=${channelAxis}, epsilon=${float(epsilon)}${flagsOf(plan)}`,
        ),
      ];
  }
}

function flagsOf({ gamma, beta }: Plan): string {
  return `${beta ? '' : ', center=False'}${gamma ? '' : ', scale=False'}`;
}

function layer(plan: Plan, open: string, training = ''): string[] {
  const { method, subject, shape } = plan;
  const { gamma, beta } = withoutNeutral(plan);
  const isShaped = !sameNumbers(shape, subject.shape);
  const x = isShaped ? 'batch' : 'x';
  const type = subject.computed === 'float64' ? ', dtype="float64"' : '';
  return [
    ...(isShaped ? ['# x becomes a batch of one.', `batch = ${reshaped('x', subject.shape, shape)}`] : []),
    `norm = keras.layers.${open}${type})`.replace('(, ', '('),
    ...(gamma || beta ? [`norm.build(${x}.shape)`] : []),
    ...(gamma ? [`norm.${method === 'rms' ? 'scale' : 'gamma'}.assign(gamma)`] : []),
    ...(beta ? ['norm.beta.assign(beta)'] : []),
    `y = norm(${x}${training})`,
    ...(isShaped ? ['y = keras.ops.reshape(y, x.shape)'] : []),
  ];
}

/** Of the methods that subtract no mean. */
function writtenOut(plan: Plan, why: string): string[] {
  const { layout, epsilon, method } = plan;
  const over = `axis=${pythonTuple(layout.reduced)}, keepdims=True`;
  return [
    `# ${why}`,
    'from keras import ops',
    '',
    ...(method === 'rms'
      ? [`y = x * ops.rsqrt(ops.mean(ops.square(x), ${over}) + ${float(epsilon)})`]
      : [`y = x / ops.maximum(ops.sqrt(ops.sum(ops.square(x), ${over})), ${float(epsilon)})`]),
    ...affineLines(withoutNeutral(plan)),
  ];
}

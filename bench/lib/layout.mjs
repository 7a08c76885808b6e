/** How the elements of a shape fall into groups: those that share mean and variance. */

/**
 * @typedef {object} Layout
 * @property {number[]} shape whose axes the next ones are: that of x, or one in which x has other axes
 * @property {number} size elements in all
 * @property {number} groups
 * @property {number} cols elements of a group
 * @property {number} [inner] when one run of neighbouring axes is reduced: elements between neighbours of a group, 1 for rows
 * @property {number[]} axes that are reduced, ascending
 * @property {number[]} parameterAxes that gamma and beta lie along, ascending
 * @property {number[]} parameterShape the shape of gamma and beta
 * @property {number[]} groupShape the shape of what there is one of for each group
 */

/**
 * Groups over some axes, and gamma and beta of the same ones.
 * @returns {Layout} whose `groupShape` is the shape with 1 at these axes
 */
export function layoutOf(shape, axis) {
  const axes = [axis]
    .flat()
    .map((one) => positiveAxis(shape, one))
    .sort((a, b) => a - b);
  const groupShape = shape.map((size, i) => (axes.includes(i) ? 1 : size));
  const parameterShape = axes.map((one) => shape[one]);
  return { ...groupsOver(shape, axes), parameterAxes: axes, parameterShape, groupShape };
}

/**
 * One group a channel, with a gamma and a beta of its own.
 * @returns {Layout} of the shape [what stands before the channels, channels, what follows]
 */
export function channelLayoutOf(shape, axis) {
  const at = positiveAxis(shape, axis);
  const channels = shape[at];
  const view = [product(shape.slice(0, at)), channels, product(shape.slice(at + 1))];
  return {
    ...groupsOver(view, [0, 2]),
    parameterAxes: [1],
    parameterShape: [channels],
    groupShape: [channels],
  };
}

/**
 * Groups of channels in each of a batch; gamma and beta of each channel.
 * @returns {Layout} of the shape [batch, what stands before the channels, groups, channels of a group, what follows]
 */
export function channelGroupLayoutOf(shape, axis, groups) {
  const at = positiveAxis(shape, axis);
  const channels = shape[at];
  const [batch, before, after] = [shape[0], product(shape.slice(1, at)), product(shape.slice(at + 1))];
  const view = [batch, before, groups, channels / groups, after];
  return {
    ...groupsOver(view, [1, 3, 4]),
    parameterAxes: [2, 3],
    parameterShape: [channels],
    groupShape: [batch, groups],
  };
}

function groupsOver(shape, axes) {
  const size = product(shape);
  const cols = product(axes.map((one) => shape[one]));
  const together = axes.every((one, i) => i === 0 || one === axes[i - 1] + 1);
  const inner = together ? product(shape.slice(axes.at(-1) + 1)) : undefined;
  return { shape, size, groups: size / cols, cols, inner, axes };
}

export const positiveAxis = (shape, axis) => (axis < 0 ? axis + shape.length : axis);

export const product = (sizes) => sizes.reduce((all, size) => all * size, 1);

/** The shape with 1 everywhere but at the axes of gamma and beta, which broadcasts them. */
export const broadcastShape = ({ shape, parameterAxes }) =>
  shape.map((size, i) => (parameterAxes.includes(i) ? size : 1));

/**
 * Where things lie: the element j of group i is at starts[i] + steps[j], and its gamma at
 * parameterStarts[i] + parameterSteps[j].
 * @returns {Record<'starts' | 'steps' | 'parameterStarts' | 'parameterSteps', Int32Array>}
 */
export function offsetsOf({ shape, axes, parameterAxes }) {
  const all = shape.map((_, i) => i);
  const kept = all.filter((i) => !axes.includes(i));
  const strideAmong = (dimensions) => (i) =>
    dimensions.includes(i) ? product(dimensions.filter((one) => one > i).map((one) => shape[one])) : 0;
  const walk = (dimensions, strideOf) => {
    let offsets = [0];
    for (const i of dimensions) {
      offsets = offsets.flatMap((offset) =>
        Array.from({ length: shape[i] }, (_, n) => offset + n * strideOf(i)),
      );
    }
    return Int32Array.from(offsets);
  };
  const [stride, parameterStride] = [strideAmong(all), strideAmong(parameterAxes)];
  return {
    starts: walk(kept, stride),
    steps: walk(axes, stride),
    parameterStarts: walk(kept, parameterStride),
    parameterSteps: walk(axes, parameterStride),
  };
}

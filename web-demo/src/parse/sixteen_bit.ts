// Numbers of 16 bits. The package computes on the bits as they are; what is drawn and checked are the numbers that they stand for.

export type SixteenBit = 'float16' | 'bfloat16';

/** Bits of an array whose elements have 16. */
export interface Bits {
  readonly dtype: SixteenBit;
  readonly array: Uint16Array<ArrayBuffer>;
}

/** Bits of the fraction, the hidden one aside, and what the exponent is biased by. */
export const SIXTEEN_BIT: Record<SixteenBit, { readonly fraction: number; readonly bias: number }> = {
  float16: { fraction: 10, bias: 15 },
  bfloat16: { fraction: 7, bias: 127 },
};

const tables = new Map<SixteenBit, Float32Array>();

/** The number that each pattern of bits stands for. */
function tableOf(dtype: SixteenBit): Float32Array {
  const known = tables.get(dtype);
  if (known) return known;
  const { fraction: width, bias } = SIXTEEN_BIT[dtype];
  const last = 0x7fff >> width; // the exponent of infinity and of what is no number
  const table = Float32Array.from({ length: 1 << 16 }, (_, bits) => {
    const sign = bits >> 15 ? -1 : 1;
    const exponent = (bits & 0x7fff) >> width;
    const fraction = (bits & ((1 << width) - 1)) / (1 << width);
    if (exponent === last) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return exponent === 0
      ? sign * fraction * 2 ** (1 - bias)
      : sign * (1 + fraction) * 2 ** (exponent - bias);
  });
  tables.set(dtype, table);
  return table;
}

/** The numbers, which float32 holds all. */
export function widen({ dtype, array }: Bits): Float32Array<ArrayBuffer> {
  const table = tableOf(dtype);
  const numbers = new Float32Array(array.length);
  for (let i = 0; i < array.length; i++) numbers[i] = table[array[i] as number] as number;
  return numbers;
}

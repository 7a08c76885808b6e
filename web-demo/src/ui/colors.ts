// Colour scales: one from little to much for what comes in, and one that parts at 0 for what comes out. Blue against orange is
// told apart with any colour blindness. Lightness follows the theme, so that "little" is always near the background.

export type Rgb = readonly [number, number, number];

interface Theme {
  /** From the smallest to the largest value. */
  readonly sequential: readonly Rgb[];
  /** From -1 by 0 to 1. */
  readonly diverging: readonly Rgb[];
  readonly notANumber: Rgb;
}

const LIGHT: Theme = {
  sequential: [
    [240, 245, 249],
    [158, 202, 213],
    [62, 138, 158],
    [16, 66, 90],
  ],
  diverging: [
    [16, 62, 122],
    [92, 152, 208],
    [246, 246, 244],
    [229, 148, 74],
    [132, 60, 6],
  ],
  notANumber: [160, 160, 160],
};

const DARK: Theme = {
  sequential: [
    [24, 33, 43],
    [24, 84, 104],
    [58, 150, 168],
    [190, 236, 238],
  ],
  diverging: [
    [150, 202, 255],
    [44, 108, 178],
    [30, 36, 44],
    [176, 92, 24],
    [255, 190, 122],
  ],
  notANumber: [110, 110, 110],
};

const darkness = matchMedia('(prefers-color-scheme: dark)');

export function onThemeChange(redraw: () => void): void {
  darkness.addEventListener('change', redraw);
}

function theme(): Theme {
  return darkness.matches ? DARK : LIGHT;
}

function blend(stops: readonly Rgb[], at: number): Rgb {
  const place = Math.min(1, Math.max(0, at)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(place));
  const [a, b] = [stops[i] as Rgb, stops[i + 1] as Rgb];
  const mix = (k: 0 | 1 | 2) => a[k] + (b[k] - a[k]) * (place - i);
  return [mix(0), mix(1), mix(2)];
}

/** A value's colour. */
export type Scale = (value: number) => Rgb;

export function sequentialScale(low: number, high: number): Scale {
  const { sequential, notANumber } = theme();
  return (value) => {
    if (Number.isNaN(value)) return notANumber;
    return blend(sequential, high > low ? (value - low) / (high - low) : 0.5);
  };
}

export function divergingScale(reach: number): Scale {
  const { diverging, notANumber } = theme();
  return (value) => {
    if (Number.isNaN(value)) return notANumber;
    return blend(diverging, reach > 0 ? (value / reach + 1) / 2 : 0.5);
  };
}

export function css([r, g, b]: Rgb): string {
  return `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)})`;
}

/** Black or white, whichever is easier to read on a colour. */
export function inkOn([r, g, b]: Rgb): string {
  const linear = (channel: number) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  return luminance > 0.179 ? '#000' : '#fff';
}

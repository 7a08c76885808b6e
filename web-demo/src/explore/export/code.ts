// The settings as code, for this package and for others.

import { kerasOf } from './keras.js';
import { numpyOf } from './numpy.js';
import { onnxOf } from './onnx.js';
import { pytorchOf } from './pytorch.js';
import { planOf, type Subject } from './subject.js';
import { typescriptOf } from './typescript.js';

export const LANGUAGES = ['typescript', 'keras', 'pytorch', 'onnx', 'numpy'] as const;
export type Language = (typeof LANGUAGES)[number];

const WRITERS = {
  typescript: typescriptOf,
  keras: kerasOf,
  pytorch: pytorchOf,
  onnx: onnxOf,
  numpy: numpyOf,
} as const;

/** A program that makes x, or stands in for it, normalizes it and prints the result. */
export function codeOf(subject: Subject, language: Language): string {
  return WRITERS[language](planOf(subject));
}

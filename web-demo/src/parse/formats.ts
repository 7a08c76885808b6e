// Formats that people try, and what to do with each: the page reads pictures, text, .npy and .safetensors.

const EXPECTED = 'Expected a picture, CSV, .npy or .safetensors.';
const SAVE_WEIGHTS =
  'Save the tensors with safetensors (safetensors.torch.save_file), which holds numbers and no program.';
const SAVE_ARRAY = 'Save one array of it as .npy: numpy.save("x.npy", array).';

interface Format {
  /** How the file starts. */
  readonly starts?: readonly number[] | string;
  /** Where that stands, if not at the beginning. */
  readonly at?: number;
  /** What only the name tells. */
  readonly named?: RegExp;
  readonly message: string;
}

const SOUND = `This is a recording of sound, which the page does not decode. Play it near the microphone, or save its spectrogram as .npy.`;
const VIDEO = 'This is a video. Save one frame of it as a picture, or use the camera.';

/** What starts alike stands with the longer start first. */
const FORMATS: readonly Format[] = [
  {
    starts: [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a],
    message: `This is an HDF5 file, as .h5 and older .keras files are. ${SAVE_ARRAY}`,
  },
  {
    starts: 'GGUF',
    message:
      'This is a GGUF model, whose weights are mostly quantized. Open the .safetensors that it was made from.',
  },
  { starts: 'TFL3', at: 4, message: `This is a TensorFlow Lite model. ${SAVE_ARRAY}` },
  {
    starts: [0x80],
    named: /\.(pt|pth|bin|pkl|pickle|ckpt|joblib)$/i,
    message: `This is a Python pickle, which can run any program when it is opened. ${SAVE_WEIGHTS}`,
  },
  {
    named: /\.onnx$/i,
    message: `This is an ONNX model. Save one of its weights as .npy: numpy.save("x.npy", onnx.numpy_helper.to_array(model.graph.initializer[0])).`,
  },
  { named: /\.pb$/i, message: `This is a TensorFlow graph. ${SAVE_ARRAY}` },
  {
    starts: [0xd0, 0xcf, 0x11, 0xe0],
    message:
      'This is an Office document of the old kind, such as .xls. If it is a workbook, export the sheet as CSV.',
  },
  { starts: [0x1f, 0x8b], message: 'This file is compressed with gzip: unpack it first.' },
  { starts: 'BZh', message: 'This file is compressed with bzip2: unpack it first.' },
  { starts: [0xfd, 0x37, 0x7a, 0x58, 0x5a], message: 'This file is compressed with xz: unpack it first.' },
  { starts: [0x28, 0xb5, 0x2f, 0xfd], message: 'This file is compressed with Zstandard: unpack it first.' },
  { starts: [0x37, 0x7a, 0xbc, 0xaf], message: 'This is a 7z archive: unpack it first.' },
  { starts: 'Rar!', message: 'This is a RAR archive: unpack it first.' },
  { starts: 'ustar', at: 257, message: 'This is a tar archive: unpack it first.' },
  { starts: 'PAR1', message: 'This is a Parquet file: export the table as CSV.' },
  { starts: 'ARROW1', message: 'This is an Arrow file: export the table as CSV.' },
  { starts: 'FEA1', message: 'This is a Feather file: export the table as CSV.' },
  { starts: 'SQLite format 3', message: 'This is a SQLite database: export a table as CSV.' },
  { starts: 'MATLAB 5.0', message: `This is a MATLAB file. ${SAVE_ARRAY}` },
  { starts: 'DICM', at: 128, message: 'This is a DICOM image: export it as PNG, or its pixels as .npy.' },
  { starts: '%PDF', message: `This is a PDF document. ${EXPECTED}` },
  { starts: 'WAVE', at: 8, message: SOUND },
  { starts: 'ID3', message: SOUND },
  { starts: 'OggS', message: SOUND },
  { starts: 'fLaC', message: SOUND },
  { starts: 'AVI ', at: 8, message: VIDEO },
  { starts: [0x1a, 0x45, 0xdf, 0xa3], message: VIDEO },
  { starts: 'ftypM4A', at: 4, message: SOUND },
  { starts: 'ftyp', at: 4, message: VIDEO },
];

/** What is said of a file that cannot be read; undefined where it may be text. */
export function otherFormat(head: Uint8Array, name: string): string | undefined {
  if (startsWith(head, [0x50, 0x4b])) return archive(head, name);
  const known = FORMATS.find(
    ({ starts, at = 0, named }) =>
      (starts === undefined || startsWith(head, starts, at)) && (named === undefined || named.test(name)),
  );
  if (known) return known.message;
  if (
    /^\s*(\{\s*["}]|\[\s*[[{"\d-])/.test(new TextDecoder('latin1').decode(head.subarray(0, 64))) &&
    !head.includes(0)
  ) {
    return 'This is JSON. Expected rows of numbers, separated by commas: one sample a line.';
  }
  const isUtf16 = startsWith(head, [0xff, 0xfe]) || startsWith(head, [0xfe, 0xff]);
  if (!isUtf16 && head.includes(0)) {
    return `This is neither text nor a picture that the browser knows, nor a .npy or .safetensors file.`;
  }
  return undefined;
}

/** Many formats are zip archives. What is in one is told by its first entry, and by the name of the file. */
function archive(head: Uint8Array, name: string): string {
  const length = (head[26] ?? 0) + (head[27] ?? 0) * 256;
  const first = new TextDecoder('latin1').decode(head.subarray(30, 30 + length));
  const is = (ending: RegExp, entry: RegExp) => ending.test(name) || entry.test(first);
  if (is(/\.(pt|pth|ckpt)$/i, /(^|\/)(data\.pkl|byteorder|\.data\/|\.format_version)/)) {
    return `This is a PyTorch file, which can run any program when it is opened. ${SAVE_WEIGHTS}`;
  }
  if (is(/\.keras$/i, /^(metadata|config)\.json$|\.weights\.h5$/)) {
    return `This is a Keras model. Save the weights of one layer as .npy: numpy.save("x.npy", layer.get_weights()[0]).`;
  }
  if (is(/\.npz$/i, /\.npy$/)) {
    return 'This .npz file may hold several arrays: save one of them with numpy.save as .npy.';
  }
  if (/\.xls[xmb]$/i.test(name)) return 'This is an Excel workbook: export the sheet as CSV.';
  if (is(/\.(docx|pptx|od[tsp])$/i, /^\[Content_Types\]\.xml$/)) {
    return `This is an Office document. ${EXPECTED} A sheet can be exported as CSV.`;
  }
  return `This is a zip archive: unpack it first. ${EXPECTED}`;
}

function startsWith(head: Uint8Array, start: readonly number[] | string, at = 0): boolean {
  const bytes = typeof start === 'string' ? [...start].map((c) => c.charCodeAt(0)) : start;
  return bytes.every((byte, i) => head[at + i] === byte);
}

// What people try to open: each format gets an answer that says what to do.

import { otherFormat } from '../../../web-demo/src/parse/formats.js';
import { openFile, readable } from '../../../web-demo/src/parse/open.js';
import { isPicture } from '../../../web-demo/src/parse/picture.js';

const bytes = (...parts: (string | readonly number[])[]) =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'string' ? [...part].map((c) => c.charCodeAt(0)) : [...part])),
  );
const zeros = (n: number) => new Array<number>(n).fill(0);

/** The start of a zip archive whose first entry has this name. */
const zip = (entry: string) =>
  bytes('PK', [3, 4], zeros(22), [entry.length & 255, entry.length >> 8, 0, 0], entry, zeros(20));

const open = (head: Uint8Array<ArrayBuffer>, name: string, type = '') =>
  openFile(new File([head], name, { type }), () => {});

test.each([
  [
    'model.pt',
    zip('archive/data.pkl'),
    'PyTorch file, which can run any program when it is opened. Save the tensors with safetensors',
  ],
  ['renamed', zip('model/byteorder'), 'PyTorch file'],
  ['model.pth', zip('anything'), 'PyTorch file'],
  ['old.pth', bytes([0x80, 2, 0x8a, 10, 0x6c]), 'Python pickle, which can run any program'],
  ['pytorch_model.bin', bytes([0x80, 4, 0x95, 0]), 'Python pickle'],
  ['model.keras', zip('metadata.json'), 'Keras model. Save the weights of one layer as .npy'],
  [
    'weights.h5',
    bytes([0x89], 'HDF', [13, 10, 26, 10]),
    'HDF5 file, as .h5 and older .keras files are. Save one array of it as .npy',
  ],
  ['old.keras', bytes([0x89], 'HDF', [13, 10, 26, 10]), 'HDF5 file'],
  [
    'llama.gguf',
    bytes('GGUF', [3, 0, 0, 0]),
    'GGUF model, whose weights are mostly quantized. Open the .safetensors',
  ],
  ['net.onnx', bytes([8, 7, 0x12, 7], 'pytorch'), 'ONNX model. Save one of its weights as .npy'],
  ['net.tflite', bytes([0x1c, 0, 0, 0], 'TFL3'), 'TensorFlow Lite model'],
  ['saved_model.pb', bytes([8, 1]), 'TensorFlow graph'],
  ['arrays.npz', zip('x.npy'), 'save one of them with numpy.save as .npy'],
  ['book.xlsx', zip('[Content_Types].xml'), 'Excel workbook: export the sheet as CSV'],
  ['letter.docx', zip('[Content_Types].xml'), 'Office document'],
  ['old.xls', bytes([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1]), 'If it is a workbook, export the sheet as CSV'],
  ['files.zip', zip('notes.txt'), 'zip archive: unpack it first'],
  ['data.csv.gz', bytes([0x1f, 0x8b, 8]), 'compressed with gzip: unpack it first'],
  ['data.csv.bz2', bytes('BZh9'), 'bzip2'],
  ['data.csv.xz', bytes([0xfd], '7zXZ', [0]), 'xz'],
  ['data.csv.zst', bytes([0x28, 0xb5, 0x2f, 0xfd]), 'Zstandard'],
  ['data.7z', bytes('7z', [0xbc, 0xaf, 0x27]), '7z'],
  ['data.tar', bytes('x.csv', zeros(252), 'ustar', zeros(100)), 'tar archive'],
  ['table.parquet', bytes('PAR1', [0x15]), 'Parquet file: export the table as CSV'],
  ['table.arrow', bytes('ARROW1', [0, 0]), 'Arrow file'],
  ['data.mat', bytes('MATLAB 5.0 MAT-file'), 'MATLAB file'],
  ['data.db', bytes('SQLite format 3', [0]), 'SQLite database'],
  ['scan.dcm', bytes(zeros(128), 'DICM'), 'DICOM image: export it as PNG'],
  ['paper.pdf', bytes('%PDF-1.7'), 'PDF document'],
  ['song.wav', bytes('RIFF', [1, 2, 3, 4], 'WAVEfmt '), 'recording of sound'],
  ['song.mp3', bytes('ID3', [3, 0]), 'recording of sound'],
  ['song.m4a', bytes([0, 0, 0, 32], 'ftypM4A '), 'recording of sound'],
  [
    'film.mp4',
    bytes([0, 0, 0, 32], 'ftypisom'),
    'video. Save one frame of it as a picture, or use the camera',
  ],
  ['film.webm', bytes([0x1a, 0x45, 0xdf, 0xa3]), 'video'],
  ['data.json', bytes('{"a": [1, 2]}'), 'This is JSON. Expected rows of numbers'],
  ['list.json', bytes('[[1, 2], [3, 4]]'), 'This is JSON'],
  ['blob.bin', bytes([0, 1, 2]), 'neither text nor a picture that the browser knows'],
  ['empty.npy', bytes(), 'The file is empty'],
  ['x.npy', bytes([0x93], 'NUMPY'), 'has version 0'],
  ['x.safetensors', bytes('hello, world'), 'This is no valid .safetensors file'],
  ['x.safetensors', zip('archive/data.pkl'), 'This is no valid .safetensors file'],
  [
    'version https://git-lfs.github.com',
    bytes('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
    'no column holds numbers',
  ],
])('%s', async (name, head, message) => {
  await expect(open(head as Uint8Array<ArrayBuffer>, name)).rejects.toMatchObject({ name: 'ParseError' });
  await expect(open(head as Uint8Array<ArrayBuffer>, name)).rejects.toThrow(message);
});

test('text is no other format, whatever it is called', () => {
  for (const text of [
    '1,2\n3,4',
    'PAR,b\n1,2',
    '[m],[s]\n1,2',
    'ID\n3',
    'a;b',
    '-1 2',
    '\u00ff\u00fe1',
    '"a"\n1',
  ]) {
    expect(otherFormat(new TextEncoder().encode(text), 'data.csv')).toBeUndefined();
  }
  expect(otherFormat(bytes([0xff, 0xfe, 0x31, 0, 0x2c, 0]), 'utf16.csv')).toBeUndefined();
});

test('pictures are known by their first bytes too', () => {
  const starts = [
    bytes([0x89], 'PNG', [13, 10]),
    bytes([0xff, 0xd8, 0xff, 0xe0]),
    bytes('GIF89a'),
    bytes('RIFF', [1, 2, 3, 4], 'WEBPVP8 '),
    bytes([0, 0, 0, 28], 'ftypavif'),
    bytes([0, 0, 0, 24], 'ftypheic'),
    bytes([0, 0, 0, 24], 'ftypmif1'),
  ];
  expect(starts.map(isPicture)).toEqual(starts.map(() => true));
  for (const other of [
    bytes('RIFF', [1, 2, 3, 4], 'WAVE'),
    bytes([0, 0, 0, 28], 'ftypisom'),
    bytes('1,2\n'),
  ]) {
    expect(isPicture(other)).toBe(false);
  }
});

test('a file that is too large is not read', async () => {
  const large = (start: Uint8Array<ArrayBuffer>, name: string, size: number) =>
    ({
      name,
      size,
      type: '',
      slice: () => new Blob([start]),
      arrayBuffer: () => {
        throw new Error('It has been read.');
      },
    }) as unknown as File;
  const csv = openFile(large(bytes('1,2\n'), 'large.csv', 3e9), () => {});
  await expect(csv).rejects.toThrow(
    'The file has 3,000 MB, which is more than a page can hold: at most 200 MB. Save',
  );
  const npy = openFile(large(bytes([0x93], 'NUMPY', [1, 0]), 'large.npy', 4e9), () => {});
  await expect(npy).rejects.toThrow('at most 321 MB. Save a part of the array');
});

test('what browsers say of a file that cannot be read says what to do', () => {
  const gone = Object.assign(new Error('A requested file could not be read'), { name: 'NotReadableError' });
  expect(readable(gone).message).toMatch('it is a folder, or it has been changed or moved since');
  expect(readable(new RangeError('Array buffer allocation failed')).message).toMatch('not enough memory');
  expect(readable(new TypeError('anything else')).message).toBe('anything else');
});

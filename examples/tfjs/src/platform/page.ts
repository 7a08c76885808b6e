// What programs find in a page: its folder has the table and the `.wasm` files.

import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';

export const wasmPath = './';

const parameters = new URLSearchParams(location.search);

/** The name of a backend, if one is given: `?backend=cpu`. */
export const backend = parameters.get('backend') ?? undefined;

export function print(line: string): void {
  document.body.append(line, document.createElement('br'));
}

export async function readTable(name: string): Promise<string> {
  return (await fetch(name)).text();
}

const ADDRESS = 'indexeddb://model';

/** Saves a model in the browser, and gives what is loaded from there. */
export async function saveAndLoad(model: LayersModel): Promise<LayersModel> {
  await model.save(ADDRESS);
  return loadLayersModel(ADDRESS);
}

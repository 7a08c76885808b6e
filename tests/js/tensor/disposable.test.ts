import { Disposing } from '../../../js/src/tensor/disposable.js';

const symbolsBefore = Object.getOwnPropertyNames(Symbol);

class Thing extends Disposing {
  disposals = 0;

  dispose(): void {
    this.disposals++;
  }
}

test('using disposes at the end of its block', () => {
  const things: Thing[] = [];
  {
    using thing = new Thing();
    things.push(thing);
    expect(thing.disposals).toBe(0);
  }
  expect(things[0]?.disposals).toBe(1);
});

test('nothing is written to the global Symbol, and nothing listed among the properties', () => {
  expect(Object.getOwnPropertyNames(Symbol)).toEqual(symbolsBefore);
  expect(Object.keys(Thing.prototype)).toEqual([]);
});

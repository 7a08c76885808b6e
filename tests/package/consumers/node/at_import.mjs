// What an import and a first call do to the rest of the process.

// Node makes some globals when they are first used.
for (const key of Reflect.ownKeys(globalThis)) void globalThis[key];

/** How often the package used anything of WebAssembly; Node does so as well. */
let uses = 0;
const countUse = () => {
  if (/node_modules.layernorm/.test(new Error().stack)) uses++;
};
Error.stackTraceLimit = Number.POSITIVE_INFINITY;
for (const name of ['Module', 'Instance', 'Memory', 'compile', 'instantiate', 'validate']) {
  WebAssembly[name] = new Proxy(WebAssembly[name], {
    apply(target, self, args) {
      countUse();
      return Reflect.apply(target, self, args);
    },
    construct(target, args) {
      countUse();
      return Reflect.construct(target, args);
    },
  });
}

/** Every property of every object that can be reached from the global one by names and prototypes. */
function everything() {
  const found = new Map();
  const visit = (object, path) => {
    if (found.has(object)) return;
    const descriptors = Object.getOwnPropertyDescriptors(object);
    found.set(object, { path, descriptors });
    for (const key of Reflect.ownKeys(descriptors)) {
      const { value, get, set } = descriptors[key];
      for (const child of [value, get, set]) {
        if (typeof child === 'function' || (typeof child === 'object' && child !== null)) {
          visit(child, `${path}.${String(key)}`);
        }
      }
    }
    const prototype = Object.getPrototypeOf(object);
    if (prototype) visit(prototype, `${path}.__proto__`);
  };
  visit(globalThis, 'globalThis');
  return found;
}

/** The paths of properties that came, went or changed. */
function changes(before) {
  const changed = [];
  for (const [object, { path, descriptors }] of before) {
    const now = Object.getOwnPropertyDescriptors(object);
    for (const key of new Set([...Reflect.ownKeys(descriptors), ...Reflect.ownKeys(now)])) {
      const [old, current] = [descriptors[key], now[key]];
      const same =
        old && current && ['value', 'get', 'set'].every((part) => Object.is(old[part], current[part]));
      if (!same) changed.push(`${path}.${String(key)}`);
    }
  }
  return changed;
}

/** The process' own book-keeping changes with every module that is loaded. */
const isOurs = (path) => !/^globalThis\.(process|performance|module|require)\b/.test(path);

const before = everything();
const resources = process.getActiveResourcesInfo().length;
const countListeners = () => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
const listeners = countListeners();

const { layerNorm, createEngine, tensor } = await import('layernorm');
const usesAtImport = uses;
const changedByImport = changes(before).filter(isOurs);

let turnedOver = false;
queueMicrotask(() => {
  turnedOver = true;
});
const y = layerNorm(Float32Array.of(1, 2, 3));
const synchronous = y instanceof Float32Array && !turnedOver;
const usesAtFirstCall = uses - usesAtImport;

tensor([1, 2]).dispose();
(await createEngine()).dispose();
const changedByCalls = changes(before).filter(isOurs);

console.log(
  JSON.stringify({
    objects: before.size,
    usesAtImport,
    usesAtFirstCall,
    synchronous,
    changedByImport,
    changedByCalls,
    resources: process.getActiveResourcesInfo().length - resources,
    listeners: countListeners() - listeners,
  }),
);

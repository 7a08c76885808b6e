// Node learns the names of a CommonJS module's exports from its text alone.
import * as namespace from './reexport.cjs';

console.log(JSON.stringify(Object.keys(namespace).sort()));

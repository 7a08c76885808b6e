// Runs a program: ?program=functional, sequential without it.
const program = new URLSearchParams(location.search).get('program') ?? 'sequential';
import(`./${program}.js`);

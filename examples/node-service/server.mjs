// Normalizes embeddings over HTTP: node server.mjs. README.md says what it answers.

import { createServer } from 'node:http';
import { configure, info, LayerNormError, layerNorm, tensor, unitNorm } from 'layernorm';

const setting = (name, byDefault) => Number(process.env[name] ?? byDefault);
/** Bytes of the largest body that is read. */
const MAX_BODY = setting('MAX_BODY', 4 * 2 ** 20);
/** Requests that have a place, and so a body in memory: together at most MAX_ACTIVE * MAX_BODY, and what is made of them. */
const MAX_ACTIVE = setting('MAX_ACTIVE', 16);
/** Requests that wait for a place. Their bodies are not read, so that TCP holds back who sends them; all others get a 503. */
const MAX_WAITING = setting('MAX_WAITING', 64);
/** Milliseconds that requests have to end in, once the service is told to. */
const GRACE = setting('GRACE', 10_000);
const { THREADS = 'auto' } = process.env;

/** Each writes over what it is given: a tensor, whose rows are shared by all threads. */
const NORMS = {
  layer: (x) => layerNorm(x, { epsilon: 1e-5, out: x }),
  unit: (x) => unitNorm(x, { out: x }),
};

/** What the client is told instead of an answer. */
class Refusal extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    Object.assign(this, { status, code, headers });
  }
}

let active = 0;
/** What lets each waiting request in, first come first. */
const waiting = new Set();

function leave() {
  const [next] = waiting;
  if (next) next();
  else active--;
}

/** Waits for a place, which is given back when the response is sent or its client has gone: slow readers keep theirs. */
async function enter(response) {
  if (active < MAX_ACTIVE) {
    active++;
    response.once('close', leave);
    return;
  }
  if (waiting.size >= MAX_WAITING) {
    throw new Refusal(503, 'ERR_OVERLOADED', `${active} requests are served and ${waiting.size} wait`, {
      'Retry-After': '1',
    });
  }
  await new Promise((resolve, reject) => {
    const gone = () => {
      waiting.delete(admit);
      reject(new Error('the client has gone'));
    };
    const admit = () => {
      waiting.delete(admit);
      response.off('close', gone);
      response.once('close', leave);
      resolve();
    };
    waiting.add(admit);
    response.once('close', gone);
  });
}

/** The body, at the start of a buffer of its own, as typed arrays want it. */
function readBody(request) {
  const tooLarge = () =>
    new Refusal(413, 'ERR_TOO_LARGE', `the body has more than ${MAX_BODY} bytes`, { Connection: 'close' });
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length']) > MAX_BODY) return reject(tooLarge());
    const chunks = [];
    let size = 0;
    request.on('data', (chunk) => {
      size += chunk.length;
      if (size <= MAX_BODY) return chunks.push(chunk);
      request.pause();
      reject(tooLarge());
    });
    request.on('end', () => resolve(new Uint8Array(Buffer.concat(chunks)).buffer));
    request.on('error', reject);
  });
}

function parseJson(body) {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch ({ message }) {
    throw new Refusal(400, 'ERR_JSON', message);
  }
}

/** Calls `answer` with the normalized tensor. Nothing here waits, so there is never more than one tensor. */
function normalize(norm, data, shape, answer) {
  const x = tensor(data, shape);
  try {
    NORMS[norm](x);
    return answer(x);
  } finally {
    x.dispose();
  }
}

function answerJson(x) {
  const y = x.array;
  if (!y.every(Number.isFinite)) {
    throw new Refusal(400, 'ERR_RANGE', 'numbers that are infinite as float32 have no norm');
  }
  if (x.shape.length !== 2) return JSON.stringify(Array.from(y));
  const [rows, dims] = x.shape;
  return JSON.stringify(
    Array.from({ length: rows }, (_, row) => Array.from(y.subarray(row * dims, (row + 1) * dims))),
  );
}

/** The content of the answer and its type, which is that of the request. */
async function serve(request, response, query) {
  const norm = query.get('norm') ?? 'layer';
  if (!Object.hasOwn(NORMS, norm)) {
    throw new Refusal(400, 'ERR_NORM', `norm is '${norm}', expected ${Object.keys(NORMS).join(' or ')}`);
  }
  const type = request.headers['content-type']?.split(';')[0];
  if (type !== 'application/json' && type !== 'application/octet-stream') {
    throw new Refusal(415, 'ERR_CONTENT_TYPE', 'expected application/json or application/octet-stream');
  }
  await enter(response);
  const body = await readBody(request);
  if (type === 'application/json') return [type, normalize(norm, parseJson(body), null, answerJson)];

  if (body.byteLength % 4 !== 0) {
    throw new Refusal(400, 'ERR_BODY', `${body.byteLength} bytes are no whole number of float32 values`);
  }
  const x = new Float32Array(body);
  const dims = Number(query.get('dims') ?? x.length);
  return [
    type,
    normalize(norm, x, [x.length / dims, dims], ({ array }) => Buffer.from(array.slice().buffer)),
  ];
}

const health = () => JSON.stringify({ ...info(), active, waiting: waiting.size });

async function route(request, response) {
  const [path, query] = request.url.split('?', 2);
  const asked = `${request.method} ${path}`;
  if (asked === 'GET /health') return ['application/json', health()];
  if (asked === 'POST /normalize') {
    return serve(request, response, new URLSearchParams(query));
  }
  throw new Refusal(404, 'ERR_NOT_FOUND', `there is no ${asked}`);
}

/** A LayerNormError is about what was sent, unless memory is short; all else is a fault of this service. */
function refusalOf(error) {
  if (error instanceof Refusal) return error;
  if (error instanceof LayerNormError) {
    return new Refusal(error.code === 'ERR_OUT_OF_MEMORY' ? 503 : 400, error.code, error.message);
  }
  console.error(error);
  return new Refusal(500, 'ERR_INTERNAL', 'this is a fault of the service');
}

const server = createServer(async (request, response) => {
  let status = 200;
  let headers = {};
  let type;
  let body;
  try {
    [type, body] = await route(request, response);
  } catch (error) {
    if (response.destroyed) return; // the client has gone
    const refusal = refusalOf(error);
    ({ status, headers } = refusal);
    type = 'application/json';
    body = JSON.stringify({ code: refusal.code, message: refusal.message });
  }
  // Connections are kept for the next request, but for those of a service that ends.
  if (!server.listening) response.shouldKeepAlive = false;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...headers });
  response.end(body);
});
server.requestTimeout = 30_000; // for a request to come in as a whole, time in which it waits included
server.timeout = 30_000; // for the next byte to move, in either direction

const { threads, reason } = await configure({ threads: THREADS === 'auto' ? THREADS : Number(THREADS) });
server.listen(setting('PORT', 8080), () => {
  console.log(
    `http://localhost:${server.address().port} with ${threads} threads${reason ? `: ${reason}` : ''}`,
  );
});

function stop(signal) {
  console.log(`${signal}: ${active + waiting.size} requests left`);
  server.close(() => console.log('ended'));
  setTimeout(() => {
    process.exitCode = 1;
    server.closeAllConnections();
  }, GRACE).unref();
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);

// Answers POST /normalize?dims=<columns>: the float32 rows of the body, normalized. They never leave the browser.

import { layerNorm } from 'layernorm';

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));

async function normalize(request, dims) {
  try {
    const x = new Float32Array(await request.arrayBuffer());
    return new Response(layerNorm(x, { shape: [x.length / dims, dims], out: x }));
  } catch ({ code = 'ERR_BODY', message }) {
    return Response.json({ code, message }, { status: 400 });
  }
}

addEventListener('fetch', (event) => {
  const { pathname, searchParams } = new URL(event.request.url);
  if (event.request.method === 'POST' && pathname === '/normalize') {
    event.respondWith(normalize(event.request, Number(searchParams.get('dims'))));
  }
});

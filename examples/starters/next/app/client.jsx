'use client';

import { layerNorm } from 'layernorm';
import { useState } from 'react';

// Rendered on the server as well, with the same bits: hydration has nothing to complain of.
export function Client() {
  const [x, setX] = useState([10, 20, 60]);
  return (
    <>
      <p id="client">{layerNorm(x).join(' ')}</p>
      <button type="button" onClick={() => setX([60, 20, 10])}>
        turn round
      </button>
    </>
  );
}

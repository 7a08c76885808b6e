import { layerNorm } from 'layernorm';
import { Client } from './client.jsx';

// Rendered on the server.
export default function Page() {
  const y = layerNorm(new Float32Array([1, 2, 3]));
  return (
    <main>
      <p id="server">{y.join(' ')}</p>
      <Client />
    </main>
  );
}

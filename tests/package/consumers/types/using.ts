// The same with `using`, which needs a lib that knows Symbol.dispose.
import { createEngine, tensor } from 'layernorm';

async function main(): Promise<void> {
  using engine = await createEngine();
  {
    using x = engine.tensor([1, 2, 3]);
    console.log(engine.layerNorm(x).size, engine.info().liveTensors);
  }
  using y = tensor([1, 2, 3]);
  console.log(y.disposed, engine.info().liveTensors);
}

void main();

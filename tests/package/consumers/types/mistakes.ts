// Each of these has to be refused by the compiler, on its line.
import { layerNorm, tensor } from 'layernorm';

layerNorm([1, 2, 3], { eps: 1e-5 });
layerNorm('123');
tensor([1, 2, 3], [3], 'half');

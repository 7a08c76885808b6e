"""PyTorch's layer normalization, for pytorch.mjs: one JSON request a line, one JSON answer a line.

  {"do": "hello"}                  -> {"title": ...}
  {"do": "set up", "operation", "dtype", "threads", "shape", "axes", "groupShape", "epsilon",
   "arrays": {name: path of its elements}}
  {"do": "sample", "calls": n}     -> {"ms": ...}: what n calls took together
  {"do": "results", "folder"}      -> {"paths": [...]}: where the results of one call have been written
"""

import json
import sys
import time

import numpy
import torch

torch.set_grad_enabled(False)


def hello(_):
    config = torch.__config__.show()
    capability = config.split("CPU capability usage: ")[-1].split("\n")[0]
    return {"title": f"PyTorch {torch.__version__.split('a')[0]} {capability}"}


class Job:
    def __init__(self, request):
        shape, axes = request["shape"], request["axes"]
        self.normalized = [shape[axis] for axis in axes]
        self.epsilon = request["epsilon"]
        shapes = {"x": shape, "dy": shape, "mean": request["groupShape"], "rstd": request["groupShape"]}
        arrays = {
            name: torch.from_numpy(numpy.fromfile(path, dtype=request["dtype"])).reshape(
                shapes.get(name, self.normalized)
            )
            for name, path in request["arrays"].items()
        }
        self.x, self.gamma, self.beta = (arrays.get(name) for name in ("x", "gamma", "beta"))
        self.dy, self.mean, self.rstd = (arrays.get(name) for name in ("dy", "mean", "rstd"))
        # PyTorch normalizes trailing dimensions: others are brought there and back.
        self.order = [axis for axis in range(len(shape)) if axis not in axes] + axes
        self.back = [self.order.index(axis) for axis in range(len(shape))]
        self.trailing = self.order == list(range(len(shape)))
        self.call = getattr(self, request["operation"])

    def layerNorm(self):
        layer_norm = torch.nn.functional.layer_norm
        if self.trailing:
            return [layer_norm(self.x, self.normalized, self.gamma, self.beta, self.epsilon)]
        y = layer_norm(self.x.permute(self.order), self.normalized, self.gamma, self.beta, self.epsilon)
        return [y.permute(self.back).contiguous()]

    def layerNormForward(self):
        y, _, _ = torch.native_layer_norm(self.x, self.normalized, self.gamma, self.beta, self.epsilon)
        return [y]

    def layerNormBackward(self):
        has_gamma = self.gamma is not None
        wanted = [True, has_gamma, has_gamma]
        beta = torch.zeros_like(self.gamma) if has_gamma else None
        results = torch.ops.aten.native_layer_norm_backward(
            self.dy, self.x, self.normalized, self.mean, self.rstd, self.gamma, beta, wanted
        )
        return results if has_gamma else results[:1]


job = None


def set_up(request):
    global job
    torch.set_num_threads(request["threads"])
    job = None  # lets go of the memory first
    job = Job(request)
    return {}


def sample(request):
    call = job.call
    start = time.perf_counter()
    for _ in range(request["calls"]):
        call()
    return {"ms": (time.perf_counter() - start) * 1e3}


def results(request):
    paths = []
    for i, result in enumerate(job.call()):
        paths.append(f"{request['folder']}/result{i}")
        result.numpy().tofile(paths[-1])
    return {"paths": paths}


ACTIONS = {"hello": hello, "set up": set_up, "sample": sample, "results": results}

for line in sys.stdin:
    message = json.loads(line)
    try:
        answer = ACTIONS[message["do"]](message)
    except Exception as error:  # the other side shows it as the peer's failure
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

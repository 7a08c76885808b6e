"""PyTorch's layer normalization, for bench/peers/pytorch.mjs: one JSON request a line, one JSON answer a line.

  {"do": "hello"}                              -> {"title": ...}
  {"do": "set up", operation, dtype, shape, axes, epsilon, x, gamma, beta}   the last three are paths of raw elements
  {"do": "sample", "calls": n}                 -> {"ms": ...}: what n calls took together
  {"do": "result", "y": path}                  writes y there
"""

import json
import math
import sys
import time

import numpy
import torch

torch.set_num_threads(1)
torch.set_grad_enabled(False)


def hello(_):
    config = torch.__config__.show()
    capability = config.split("CPU capability usage: ")[-1].split("\n")[0]
    return {"title": f"PyTorch {torch.__version__.split('a')[0]} {capability}"}


class Job:
    def __init__(self, request):
        dtype = request["dtype"]

        def load(name):
            path = request.get(name)
            return None if path is None else torch.from_numpy(numpy.fromfile(path, dtype=dtype))

        shape, axes = request["shape"], request["axes"]
        kept = [axis for axis in range(len(shape)) if axis not in axes]
        self.order = kept + axes
        self.back = [self.order.index(axis) for axis in range(len(shape))]
        self.trailing = self.order == list(range(len(shape)))
        self.normalized = [shape[axis] for axis in axes]
        self.x = load("x").reshape(shape)
        self.gamma, self.beta = (
            None if one is None else one.reshape(self.normalized) for one in (load("gamma"), load("beta"))
        )
        self.epsilon = request["epsilon"]
        self.call = getattr(self, request["operation"])

    def layerNorm(self):
        layer_norm = torch.nn.functional.layer_norm
        if self.trailing:
            return layer_norm(self.x, self.normalized, self.gamma, self.beta, self.epsilon)
        y = layer_norm(self.x.permute(self.order), self.normalized, self.gamma, self.beta, self.epsilon)
        return y.permute(self.back).contiguous()

    def layerNormForward(self):
        return torch.native_layer_norm(self.x, self.normalized, self.gamma, self.beta, self.epsilon)[0]


job = None


def set_up(request):
    global job
    job = None  # lets go of the memory first
    job = Job(request)
    return {}


def sample(request):
    call = job.call
    start = time.perf_counter()
    for _ in range(request["calls"]):
        call()
    return {"ms": (time.perf_counter() - start) * 1e3}


def result(request):
    job.call().numpy().tofile(request["y"])
    return {}


ACTIONS = {"hello": hello, "set up": set_up, "sample": sample, "result": result}

for line in sys.stdin:
    message = json.loads(line)
    try:
        answer = ACTIONS[message["do"]](message)
    except Exception as error:  # the other side shows it as the peer's failure
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

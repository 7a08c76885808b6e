"""PyTorch's normalizations, for pytorch.mjs: one JSON request a line, one JSON answer a line.

  {"do": "hello"}                  -> {"title": ...}
  {"do": "set up", "operation", "dtype", "threads", "shape", "axes", "axis", "groups", "dimensions", "epsilon",
   "arrays": {name: {"path" of its elements, "shape"}}}
      "axes": those that are reduced, "axis": that of the channels, where groups are made of them
                                   -> {"offered": whether there is such an operation, for such a layout}
  {"do": "sample", "calls": n}     -> {"ms": ...}: what n calls took together
  {"do": "results", "folder"}      -> {"paths": [...]}: where the results of one call have been written
"""

import json
import sys
import time

import numpy
import torch
from torch.nn import functional

torch.set_grad_enabled(False)


def hello(_):
    config = torch.__config__.show()
    capability = config.split("CPU capability usage: ")[-1].split("\n")[0]
    return {"title": f"PyTorch {torch.__version__.split('a')[0]} {capability}"}


class Problem:
    """What is to be computed: inputs that are not there are None."""

    def __init__(self, request):
        self.shape, self.axes, self.axis = request["shape"], request["axes"], request["axis"]
        self.groups, self.epsilon = request["groups"], request["epsilon"]
        self.dimensions = request["dimensions"]
        self.sizes = [self.shape[axis] for axis in self.axes]
        # PyTorch normalizes trailing dimensions: others are brought there and back.
        self.order = [axis for axis in range(len(self.shape)) if axis not in self.axes] + self.axes
        self.back = [self.order.index(axis) for axis in range(len(self.shape))]
        self.trailing = self.order == list(range(len(self.shape)))
        self.arrays = {
            name: torch.from_numpy(numpy.fromfile(one["path"], dtype=request["dtype"])).reshape(one["shape"])
            for name, one in request["arrays"].items()
        }

    def __getattr__(self, name):
        return self.arrays.get(name)

    def broadcast(self, parameter):
        """In a shape that goes with x."""
        return parameter.reshape([size if i in self.axes else 1 for i, size in enumerate(self.shape)])

    def channels_second(self, tensor):
        """As PyTorch names the dimensions; in memory the channels stay where they are."""
        return tensor.movedim(self.axis, 1)

    def channels_back(self, tensor):
        return tensor.movedim(1, self.axis).contiguous()


# The operations of lib/operations.mjs, by the names that they have there. Each one makes of a problem a function that does the
# work once and gives a list of results; None where PyTorch has no such operation for the layout.


def layerNorm(p):
    if p.trailing:
        return lambda: [functional.layer_norm(p.x, p.sizes, p.gamma, p.beta, p.epsilon)]

    def call():
        y = functional.layer_norm(p.x.permute(p.order), p.sizes, p.gamma, p.beta, p.epsilon)
        return [y.permute(p.back).contiguous()]

    return call


def layerNormForward(p):
    if p.trailing:
        return lambda: torch.native_layer_norm(p.x, p.sizes, p.gamma, p.beta, p.epsilon)[:1]
    return None


def layerNormBackward(p):
    if not p.trailing:
        return None
    beta = None if p.gamma is None else torch.zeros_like(p.gamma)
    given = (p.dy, p.x, p.sizes, p.mean, p.rstd, p.gamma, beta, wanted(p))
    return lambda: torch.ops.aten.native_layer_norm_backward(*given)


def skipLayerNorm(p):
    if not p.trailing:
        return None

    def call():
        total = p.x + p.skip
        return [functional.layer_norm(total, p.sizes, p.gamma, p.beta, p.epsilon), total]

    return call


def rms_norm(p, x, gamma):
    """Written out: PyTorch has had rms_norm since 2.4 only."""
    return x * torch.rsqrt(x.pow(2).mean(p.axes, keepdim=True) + p.epsilon) * gamma


def rmsNorm(p):
    gamma = p.broadcast(p.gamma)
    return lambda: [rms_norm(p, p.x, gamma)]


def skipRmsNorm(p):
    gamma = p.broadcast(p.gamma)

    def call():
        total = p.x + p.skip
        return [rms_norm(p, total, gamma), total]

    return call


def rmsNormBackward(p):
    return gradients(p, lambda x, gamma: rms_norm(p, x, p.broadcast(gamma)), [p.x, p.gamma])


def unitNorm(p):
    if len(p.axes) > 1:
        return None
    return lambda: [functional.normalize(p.x, dim=p.axes[0], eps=p.epsilon)]


def unitNormBackward(p):
    if len(p.axes) > 1:
        return None
    return gradients(p, lambda x: functional.normalize(x, dim=p.axes[0], eps=p.epsilon), [p.x])


def matryoshka(p):
    def call():
        z = functional.layer_norm(p.x, p.sizes, eps=p.epsilon)
        return [functional.normalize(z[..., : p.dimensions], dim=-1)]

    return call


def batchNorm(p):
    return batch_norm(p, None, None, training=True)


def batchNormInference(p):
    return batch_norm(p, p.mean, p.variance, training=False)


def batch_norm(p, mean, variance, training):
    x = p.channels_second(p.x)

    def call():
        y = functional.batch_norm(x, mean, variance, p.gamma, p.beta, training, eps=p.epsilon)
        return [p.channels_back(y)]

    return call


def batchNormBackward(p):
    dy, x = p.channels_second(p.dy), p.channels_second(p.x)
    given = (dy, x, p.gamma, None, None, p.mean, p.rstd, True, p.epsilon, wanted(p))

    def call():
        dx, *others = torch.ops.aten.native_batch_norm_backward(*given)
        return [p.channels_back(dx), *others]

    return call


def groupNorm(p):
    x = p.channels_second(p.x)
    return lambda: [p.channels_back(functional.group_norm(x, p.groups, p.gamma, p.beta, p.epsilon))]


def groupNormBackward(p):
    # The function takes nothing but memory with the channels second. Bringing it there is part of the work.
    batch, channels = p.shape[0], p.shape[p.axis]
    sizes = (batch, channels, p.x.numel() // (batch * channels), p.groups)

    def call():
        dy, x = p.channels_second(p.dy).contiguous(), p.channels_second(p.x).contiguous()
        dx, *others = torch.ops.aten.native_group_norm_backward(
            dy, x, p.mean, p.rstd, p.gamma, *sizes, wanted(p)
        )
        return [p.channels_back(dx), *others]

    return call


def instanceNorm(p):
    x = p.channels_second(p.x)
    given = {"weight": p.gamma, "bias": p.beta, "eps": p.epsilon}
    return lambda: [p.channels_back(functional.instance_norm(x, **given))]


def instanceNormBackward(p):
    def instance_norm(x, gamma, beta):
        y = functional.instance_norm(p.channels_second(x), weight=gamma, bias=beta, eps=p.epsilon)
        return y.movedim(1, p.axis)

    return gradients(p, instance_norm, [p.x, p.gamma, torch.zeros_like(p.gamma)])


def spectralNorm(p):
    def call():
        """What torch.nn.utils.spectral_norm does in a training step."""
        v = functional.normalize(torch.mv(p.x, p.u), dim=0, eps=1e-7)
        u = functional.normalize(torch.mv(p.x.t(), v), dim=0, eps=1e-7)
        return [p.x / torch.dot(v, torch.mv(p.x, u)), u]

    return call


def moments(p):
    def call():
        variance, mean = torch.var_mean(p.x, p.axes, unbiased=False)
        return [mean, variance]

    return call


def wanted(p):
    """Which of dx, dgamma and dbeta."""
    return [True, p.gamma is not None, p.gamma is not None]


def gradients(p, function, inputs):
    """The backward pass that PyTorch finds by itself, without the forward pass."""
    leaves = [one.clone().requires_grad_() for one in inputs]
    with torch.enable_grad():
        y = function(*leaves)
    return lambda: torch.autograd.grad(y, leaves, p.dy, retain_graph=True)


OPERATIONS = [
    *(layerNorm, layerNormForward, layerNormBackward),
    *(rmsNorm, rmsNormBackward, unitNorm, unitNormBackward, skipLayerNorm, skipRmsNorm),
    matryoshka,
    *(batchNorm, batchNormInference, batchNormBackward),
    *(groupNorm, groupNormBackward, instanceNorm, instanceNormBackward),
    *(spectralNorm, moments),
]
OPERATIONS = {function.__name__: function for function in OPERATIONS}

call = None


def set_up(request):
    global call
    torch.set_num_threads(request["threads"])
    call = None  # lets go of the memory first
    function = OPERATIONS.get(request["operation"])
    call = function and function(Problem(request))
    return {"offered": call is not None}


def sample(request):
    once = call
    start = time.perf_counter()
    for _ in range(request["calls"]):
        once()
    return {"ms": (time.perf_counter() - start) * 1e3}


def results(request):
    paths = []
    for result in call():
        if result is None:  # a gradient that was not wanted
            continue
        paths.append(f"{request['folder']}/result{len(paths)}")
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

"""The same steps in PyTorch, compiled, written by hand.   torch_peer.py steps|train PROBLEM [options]

Forms: linear predictor `rows` x S or S x rows (`samples`). The loss and its backward pass are compiled by torch.compile
(on a GPU as a CUDA graph, mode "reduce-overhead"), Adam is PyTorch's fused one.
"""

import math
import time

import peer

forms = ["rows", "samples"]
args = peer.arguments(forms)

import numpy as np
import torch

import problem as problems

if args.threads > 0:
    torch.set_num_threads(args.threads)
torch.set_float32_matmul_precision("high")  # TF32 on a GPU, as JAX has it by default
torch.manual_seed(1)
cuda = args.device == "cuda"
if cuda and not torch.cuda.is_available():
    raise SystemExit("PyTorch sees no GPU (--device cuda); use --device cpu")
device = torch.device(args.device)
problem = problems.read(args.problem)
d = problem.columns
x = torch.from_numpy(problem.x.copy()).to(device)
y = torch.from_numpy(problem.y.copy()).to(device)
batch = args.batch or problem.rows


def negative_elbo(mean, log_sd, x, y):
    eps = torch.randn(args.samples, d, device=device)
    z = mean + torch.exp(log_sd) * eps
    if args.form == "rows":
        eta, response = x @ z.T, y[:, None]
    else:
        eta, response = z @ x.T, y[None, :]
    data = (response * eta - torch.nn.functional.softplus(eta)).sum() * (problem.rows / x.shape[0]) / args.samples
    prior = (-0.5 * (z / problem.prior_sd) ** 2).sum() / args.samples
    constant = 0.5 * d - d * math.log(problem.prior_sd)  # of the prior and the entropy: log(2 pi) cancels
    return -(data + prior + log_sd.sum() + constant)


compiled = torch.compile(negative_elbo, mode="reduce-overhead" if cuda else "default")


class Training:
    def __init__(self, mean, log_sd):
        self.mean = torch.tensor(mean, dtype=torch.float32, device=device, requires_grad=True)
        self.log_sd = torch.tensor(log_sd, dtype=torch.float32, device=device, requires_grad=True)
        self.adam = torch.optim.Adam([self.mean, self.log_sd], lr=args.rate, fused=True)
        self.t = 0

    def step(self):
        if args.decay:
            rate = args.rate * 0.1 ** (self.t / args.decay)
            for group in self.adam.param_groups:
                group["lr"] = rate
        if cuda:
            torch.compiler.cudagraph_mark_step_begin()  # the step before's gradients are no longer needed
        xs, ys = x, y
        if batch < problem.rows:
            rows = torch.randint(problem.rows, (batch,), device=device)
            xs, ys = x[rows], y[rows]
        self.adam.zero_grad(set_to_none=True)
        loss = compiled(self.mean, self.log_sd, xs, ys)
        loss.backward()
        self.adam.step()
        self.t += 1

    def timed(self):
        begin = time.perf_counter()
        for _ in range(args.steps):
            self.step()
        if cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - begin


versions = {"torch": torch.__version__, "device": torch.cuda.get_device_name() if cuda else "cpu"}

if args.mode == "steps":
    training = Training(problem.mean, problem.log_sd)
    cold, _, warm = training.timed(), training.timed(), training.timed()
    mean = torch.tensor(problem.mean, device=device, requires_grad=True)
    log_sd = torch.tensor(problem.log_sd, device=device, requires_grad=True)
    estimates = peer.checks(args.samples)
    elbo, gradient = 0.0, np.zeros(2 * d)
    for _ in range(estimates):
        mean.grad = log_sd.grad = None
        loss = compiled(mean, log_sd, x, y)
        loss.backward()
        elbo -= loss.item() / estimates
        gradient -= torch.cat([mean.grad, log_sd.grad]).double().cpu().numpy() / estimates
    ready = {"compile_s": cold - warm, "versions": versions, "elbo": elbo, "gradient": gradient.tolist(),
             "draws": args.samples * estimates}

    def run():
        return {"seconds": training.timed() / args.steps}
else:
    def fresh():
        return Training(np.zeros(d), np.full(d, math.log(args.start_sd)))

    warm_up = fresh()
    cold, _, warm = warm_up.timed(), warm_up.timed(), warm_up.timed()
    ready = {"compile_s": cold - warm, "versions": versions}

    def run():
        training, clock, out = fresh(), 0.0, {"seconds": [], "mean": [], "sd": []}
        for _ in range(args.checkpoints):
            clock += training.timed()
            out["seconds"].append(clock)
            out["mean"].append(training.mean.detach().double().cpu().tolist())
            out["sd"].append(training.log_sd.detach().double().exp().cpu().tolist())
        return out

peer.serve(ready, run)

"""The same steps in NumPyro, and written by hand in JAX.   numpyro_peer.py steps|train PROBLEM [options]

Forms:
  numpyro            SVI, AutoNormal, Trace_ELBO(num_particles=S), its own Adam; steps inside lax.scan, as SVI.run does
  numpyro-meanfield  the same with TraceMeanField_ELBO: KL(q || prior) in closed form
  jax-rows           reparametrised ELBO by hand, one matrix product, linear predictor rows x S
  jax-samples        the same, linear predictor S x rows
"""

import os
import time

import peer

forms = ["numpyro", "numpyro-meanfield", "jax-rows", "jax-samples"]
args = peer.arguments(forms)
if args.device == "cpu":
    os.environ["JAX_PLATFORMS"] = "cpu"
    if args.threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
else:
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # several systems share the GPU's memory

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.scipy.stats import norm
from numpyro.infer import SVI, Trace_ELBO, TraceMeanField_ELBO
from numpyro.infer.autoguide import AutoNormal
from numpyro.infer.initialization import init_to_value

import problem as problems

if args.device == "cuda" and jax.devices()[0].platform != "gpu":
    raise SystemExit("JAX sees no GPU (--device cuda); install its CUDA form, or use --device cpu")
problem = problems.read(args.problem)
d = problem.columns
x, y = jax.device_put(problem.x), jax.device_put(problem.y)
start_mean, start_sd = jnp.asarray(problem.mean), jnp.exp(jnp.asarray(problem.log_sd))
batch = args.batch or problem.rows


def rate(t):
    return args.rate * 0.1 ** (t / args.decay) if args.decay else args.rate


class Numpyro:
    def __init__(self):
        def model(x, y):
            b = numpyro.sample("b", dist.Normal(0, problem.prior_sd).expand([d]).to_event(1))
            with numpyro.plate("rows", problem.rows, subsample_size=None if batch == problem.rows else batch):
                xs = numpyro.subsample(x, event_dim=1)
                ys = numpyro.subsample(y, event_dim=0)
                numpyro.sample("y", dist.Bernoulli(logits=xs @ b), obs=ys)

        loss = TraceMeanField_ELBO if args.form == "numpyro-meanfield" else Trace_ELBO
        self.guide = AutoNormal(model, init_loc_fn=init_to_value(values={"b": jnp.zeros(d)}))
        self.elbo = loss(num_particles=args.samples, vectorize_particles=True)
        self.model = model
        self.svi = SVI(model, self.guide, numpyro.optim.Adam(rate if args.decay else args.rate), self.elbo)

    def start(self, mean, sd):
        return self.svi.init(jax.random.key(0), x, y,
                             init_params={"b_auto_loc": jnp.asarray(mean), "b_auto_scale": jnp.asarray(sd)})

    def step(self, state, x, y):
        return self.svi.update(state, x, y)

    def guide_of(self, state):
        parameters = self.svi.get_params(state)
        return parameters["b_auto_loc"], parameters["b_auto_scale"]

    def value_and_gradient(self, key, mean, sd, x, y):
        """In the log of the sd, as the others have it."""
        def negative(mean, sd):
            return self.elbo.loss(key, {"b_auto_loc": mean, "b_auto_scale": sd}, self.model, self.guide, x, y)

        value, (to_mean, to_sd) = jax.value_and_grad(negative, argnums=(0, 1))(mean, sd)
        return -value, -jnp.concatenate([to_mean, to_sd * sd])


class ByHand:
    def elbo(self, parameters, key, x, y):
        mean, log_sd = parameters[:d], parameters[d:]
        eps = jax.random.normal(key, (args.samples, d), jnp.float32)
        z = mean + jnp.exp(log_sd) * eps
        if args.form == "jax-rows":
            eta, response = x @ z.T, y[:, None]
        else:
            eta, response = z @ x.T, y[None, :]
        data = jnp.sum(response * eta - jax.nn.softplus(eta)) * (problem.rows / x.shape[0]) / args.samples
        prior = jnp.sum(norm.logpdf(z, 0, problem.prior_sd)) / args.samples
        return data + prior + jnp.sum(log_sd) + 0.5 * d * (1 + jnp.log(2 * jnp.pi))

    def start(self, mean, sd):
        zero = jnp.zeros(2 * d)
        return jnp.concatenate([jnp.asarray(mean), jnp.log(jnp.asarray(sd))]), zero, zero, jnp.asarray(0), jax.random.key(0)

    def step(self, state, x, y):
        parameters, first, second, t, key = state
        key, draw, choose = jax.random.split(key, 3)
        if batch < problem.rows:
            rows = jax.random.randint(choose, (batch,), 0, problem.rows)
            x, y = x[rows], y[rows]
        value, gradient = jax.value_and_grad(self.elbo)(parameters, draw, x, y)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        t = t + 1
        moved = first / (1 - 0.9**t) / (jnp.sqrt(second / (1 - 0.999**t)) + 1e-8)
        return (parameters + rate(t) * moved, first, second, t, key), -value

    def guide_of(self, state):
        return state[0][:d], jnp.exp(state[0][d:])

    def value_and_gradient(self, key, mean, sd, x, y):
        return jax.value_and_grad(self.elbo)(jnp.concatenate([mean, jnp.log(sd)]), key, x, y)


system = Numpyro() if args.form.startswith("numpyro") else ByHand()


@jax.jit
def many_steps(state, x, y):
    return jax.lax.scan(lambda state, _: system.step(state, x, y), state, None, length=args.steps)[0]


def timed(state):
    begin = time.perf_counter()
    state = jax.block_until_ready(many_steps(state, x, y))
    return state, time.perf_counter() - begin


versions = {"numpyro": numpyro.__version__, "jax": jax.__version__, "device": str(jax.devices()[0])}

if args.mode == "steps":
    state = system.start(start_mean, start_sd)
    state, cold = timed(state)
    state, warm = timed(state)
    evaluate = jax.jit(system.value_and_gradient)
    estimates = [evaluate(jax.random.key(100 + k), start_mean, start_sd, x, y) for k in range(peer.checks(args.samples))]
    ready = {"compile_s": cold - warm, "versions": versions,
             "elbo": float(np.mean([np.float64(e[0]) for e in estimates])),
             "gradient": np.mean([np.asarray(e[1], np.float64) for e in estimates], axis=0).tolist(),
             "draws": args.samples * len(estimates)}

    def run():
        global state
        state, seconds = timed(state)
        return {"seconds": seconds / args.steps}
else:
    def fresh():
        return system.start(np.zeros(d, np.float32), np.full(d, args.start_sd, np.float32))

    _, cold = timed(fresh())
    _, warm = timed(fresh())
    ready = {"compile_s": cold - warm, "versions": versions}

    def run():
        state, clock, out = fresh(), 0.0, {"seconds": [], "mean": [], "sd": []}
        for _ in range(args.checkpoints):
            state, seconds = timed(state)
            clock += seconds
            mean, sd = system.guide_of(state)
            out["seconds"].append(clock)
            out["mean"].append(np.asarray(mean, np.float64).tolist())
            out["sd"].append(np.asarray(sd, np.float64).tolist())
        return out

peer.serve(ready, run)

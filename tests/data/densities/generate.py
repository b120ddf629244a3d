"""Writes NAME.csv beside itself: normalised log densities at inputs that float32 holds exactly.

    pip install mpmath scipy numpy
    python generate.py            write every file
    python generate.py --check    compare what is stored with scipy.stats wherever scipy has the distribution

Every value is computed with 50 decimal digits from the textbook definition, arranged only so that no digit cancels, and
rounded once to double. A point is left out where its log density is beyond float32's range. Values smaller than any
float32 (log Phi(30) = -4.9e-198) stay: float code should give 0 or a number as small.
"""

import csv
import itertools
import math
import pathlib
import random
import sys

import mpmath as mp
import numpy as np

mp.mp.dps = 50
FOLDER = pathlib.Path(__file__).parent
LARGEST = 3.4e38  # float32's range

exp, log, log1p, expm1, lgamma = mp.exp, mp.log, mp.log1p, mp.expm1, mp.loggamma


def f32(x):
    """x rounded to float32, as a Python float."""
    return float(np.float32(x))


# ---- log densities: exact arguments in, mpf out ----------------------------------------------------------------------


def log_logistic(x):
    return -log1p(exp(-x)) if x > 0 else x - log1p(exp(x))


def log_choose(n, y):
    return lgamma(n + 1) - lgamma(y + 1) - lgamma(n - y + 1)


def times(count, log_probability):
    """count * log p with 0 * -inf = 0."""
    return count * log_probability if count else mp.mpf(0)


def binomial(y, n, log_p, log_q):
    return log_choose(n, y) + times(y, log_p) + times(n - y, log_q)


def gaussian(y, a0, a1):
    r = (y - a0) / exp(a1)
    return -log(2 * mp.pi) / 2 - a1 - r * r / 2


def student_t(y, a0, a1, a2):
    r, nu = (y - a0) / exp(a1), exp(a2)
    return lgamma((nu + 1) / 2) - lgamma(nu / 2) - log(nu * mp.pi) / 2 - a1 - (nu + 1) / 2 * log1p(r * r / nu)


def bernoulli_logit(y, a0):
    return log_logistic(a0 if y else -a0)


def binomial_logit(y, n, a0):
    return binomial(y, n, log_logistic(a0), log_logistic(-a0))


def log_normal_cdf(x):
    return log1p(-mp.ncdf(-x)) if x > 0 else log(mp.ncdf(x))


def binomial_probit(y, n, a0):
    return binomial(y, n, log_normal_cdf(a0), log_normal_cdf(-a0))


def binomial_cloglog(y, n, a0):
    hazard = exp(a0)  # P(success) = 1 - exp(-hazard)
    log_p = log1p(-exp(-hazard)) if hazard > 1 else log(-expm1(-hazard))
    return binomial(y, n, log_p, -hazard)


def poisson_log(y, a0):
    return y * a0 - exp(a0) - lgamma(y + 1)


def negative_binomial_log(y, a0, a1):
    mu, shape = exp(a0), exp(a1)
    return (
        lgamma(y + shape) - lgamma(shape) - lgamma(y + 1) - shape * log1p(mu / shape) - times(y, log1p(shape / mu))
    )


def gamma_log(y, a0, a1):
    shape = exp(a1)
    return shape * (a1 - a0) + (shape - 1) * log(y) - shape * y / exp(a0) - lgamma(shape)


def beta_logit(y, a0, a1):
    phi = exp(a1)
    a, b = phi * exp(log_logistic(a0)), phi * exp(log_logistic(-a0))
    return lgamma(phi) - lgamma(a) - lgamma(b) + (a - 1) * log(y) + (b - 1) * log1p(-y)


def lognormal(y, a0, a1):
    return gaussian(log(y), a0, a1) - log(y)


def exponential_log(y, censored, a0):
    return -y / exp(a0) - (0 if censored else a0)


def weibull_log(y, censored, a0, a1):
    shape = exp(a1)
    log_ratio = log(y) - a0 + lgamma(1 + 1 / shape)  # log(y / scale), scale = mean / Gamma(1 + 1/shape)
    survival = -exp(shape * log_ratio)
    return survival if censored else a1 - log(y) + shape * log_ratio + survival


def zero_inflated_poisson(y, a0, a1):
    if y > 0:
        return log_logistic(-a1) + poisson_log(y, a0)
    # zi + (1 - zi) exp(-lambda) = 1 + (1 - zi) (exp(-lambda) - 1): keep whichever form does not cancel
    rest = exp(log_logistic(-a1)) * expm1(-exp(a0))
    return log1p(rest) if rest > -0.5 else log(exp(log_logistic(a1)) + exp(log_logistic(-a1) - exp(a0)))


def hurdle_poisson(y, a0, a1):
    if y == 0:
        return log_logistic(a1)
    rate = exp(a0)
    return log_logistic(-a1) + poisson_log(y, a0) - log(-expm1(-rate))


def cumulative_logit(position, a0, a1, a2):
    if position == 0:
        return log_logistic(a2 - a0)
    if position == 2:
        return log_logistic(a0 - a1)
    # F(u) - F(l) = F(u) F(-l) (1 - exp(l - u))
    return log_logistic(a2 - a0) + log_logistic(a0 - a1) + log(-expm1(a1 - a2))


def categorical(y, a0, a1, a2):
    logits = [mp.mpf(0), a0, a1, a2]
    return -log1p(sum(exp(v - logits[y]) for k, v in enumerate(logits) if k != y))


# ---- where they are evaluated ----------------------------------------------------------------------------------------

ETA = sorted({s * v for s in (-1, 1) for v in (0, 1e-6, 0.01, 0.1, 0.5, 1, 2, 3, 5, 8, 12, 16, 20, 25, 30, 50, 80)})
FEW_ETA = [-80, -30, -10, -3, -1, 0, 0.3, 2, 7, 13.8, 20, 30, 80]
LOG_SIGMA = [math.log(v) for v in (1e-3, 0.03, 0.5, 1, 7, 1e3)]
LOG_NU = [math.log(v) for v in (0.1, 1, 4, 30, 1e3, 1e6)]
LOG_SHAPE = [math.log(v) for v in (1e-3, 0.1, 1, 2.5, 30, 1e3, 1e4, 1e6)]
LOG_PHI = [math.log(v) for v in (1e-2, 0.3, 1, 2, 10, 1e3, 1e5)]
COUNTS = [0, 1, 2, 7, 30, 1000, 123457, 1000000]
TRIALS = [(0, 0), (0, 1), (1, 1), (0, 7), (1, 7), (3, 7), (7, 7), (0, 1000), (1, 1000), (7, 1000), (500, 1000)]
TRIALS += [(1000, 1000), (0, 10**6), (1, 10**6), (1000, 10**6), (500000, 10**6), (999999, 10**6), (10**6, 10**6)]
POSITIVE = [1e-30, 1e-6, 1e-3, 0.5, 1, 3, 1000, 1e6]

uniform = random.Random(20240501).uniform
rng = np.random.default_rng(20240501)


def some(n, make):
    """n points where data would lie."""
    return [make() for _ in range(n)]


def grid(*axes):
    return list(itertools.product(*axes))


def central_gaussian():
    mu, log_sigma = uniform(-5, 5), uniform(-2, 2)
    return rng.normal(mu, math.exp(log_sigma)), mu, log_sigma


def central_trials(probability):
    def make():
        n, eta = int(10 ** uniform(0, 6)), uniform(-4, 1.2)
        return int(rng.binomial(n, float(probability(eta)))), n, eta

    return make


def central_poisson():
    eta = uniform(-3, 13)
    return int(rng.poisson(math.exp(eta))), eta


def central_zero_inflated():
    y, eta = central_poisson()
    return y if uniform(0, 1) < 0.7 else 0, eta, uniform(-5, 5)


def central_negative_binomial():
    eta, log_shape = uniform(-3, 12), uniform(-2, 9)
    return int(rng.poisson(math.exp(eta) * rng.gamma(math.exp(log_shape)) / math.exp(log_shape))), eta, log_shape


def central_gamma():
    eta, log_shape = uniform(-5, 5), uniform(-1, 13)
    return max(1e-30, math.exp(eta) * rng.gamma(math.exp(log_shape)) / math.exp(log_shape)), eta, log_shape


def central_beta():
    eta, log_phi = uniform(-3, 3), uniform(0, 11)
    p, phi = 1 / (1 + math.exp(-eta)), math.exp(log_phi)
    return min(max(rng.beta(p * phi, (1 - p) * phi), 1e-6), 1 - 2**-20), eta, log_phi


def central_weibull():
    eta, log_shape = uniform(-5, 5), uniform(-1, 13)
    shape = math.exp(log_shape)
    y = rng.exponential() ** (1 / shape) * math.exp(eta - math.lgamma(1 + 1 / shape))
    return max(y, 1e-30), int(uniform(0, 2)), eta, log_shape


def weibull_extremes():
    """y at mean * exp(d / shape): (y / scale)^shape stays moderate for any shape, as it does for data."""
    for eta, log_shape, d, censored in grid(FEW_ETA, LOG_SHAPE, (-3, -0.5, 0, 1), (0, 1)):
        log_y = eta + d * math.exp(-log_shape)
        if abs(log_y) < 86:
            yield math.exp(log_y), censored, eta, log_shape


def cutpoints():
    for position, a0, lower, gap in grid((0, 1, 2), FEW_ETA, (-30, -2, 0, 0.7, 25), (1e-3, 0.1, 1, 6, 30)):
        lower = f32(lower)
        yield position, a0, lower, lower + gap  # the cutpoint that a position does not use is ignored


def central_cutpoints():
    lower = uniform(-3, 3)
    return int(uniform(0, 3)), uniform(-4, 4), lower, lower + math.exp(uniform(-4, 2))


def logistic(x):
    return 1 / (1 + mp.exp(-x))


FAMILIES = {
    # name: (log density, columns, points)
    "gaussian": (
        gaussian,
        "y a0 a1",
        lambda: grid((-1e6, -30, -1.5, 0, 1e-3, 2, 1000, 1e6), (-80, -30, -1, 0, 0.3, 30, 80), LOG_SIGMA)
        + some(200, central_gaussian),
    ),
    "student_t": (
        student_t,
        "y a0 a1 a2",
        lambda: grid((-1e6, -30, -1.5, 0, 2, 1000), (-80, -1, 0, 0.3, 30), LOG_SIGMA, LOG_NU)
        + some(200, lambda: (*central_gaussian(), uniform(-2, 13))),
    ),
    "bernoulli_logit": (
        bernoulli_logit,
        "y a0",
        lambda: grid((0, 1), ETA) + some(200, lambda: (int(uniform(0, 2)), uniform(-10, 10))),
    ),
    "binomial_logit": (
        binomial_logit,
        "y n a0",
        lambda: [(*t, eta) for t, eta in grid(TRIALS, ETA)] + some(200, central_trials(logistic)),
    ),
    "binomial_probit": (
        binomial_probit,
        "y n a0",
        lambda: [(*t, eta) for t, eta in grid(TRIALS, ETA)] + some(200, central_trials(mp.ncdf)),
    ),
    "binomial_cloglog": (
        binomial_cloglog,
        "y n a0",
        lambda: [(*t, eta) for t, eta in grid(TRIALS, ETA)]
        + some(200, central_trials(lambda eta: -mp.expm1(-mp.exp(eta)))),
    ),
    "poisson_log": (poisson_log, "y a0", lambda: grid(COUNTS, ETA) + some(300, central_poisson)),
    "negative_binomial_log": (
        negative_binomial_log,
        "y a0 a1",
        lambda: grid(COUNTS, FEW_ETA, LOG_SHAPE) + some(300, central_negative_binomial),
    ),
    "gamma_log": (
        gamma_log,
        "y a0 a1",
        lambda: grid(POSITIVE, FEW_ETA, LOG_SHAPE) + some(300, central_gamma),
    ),
    "beta_logit": (
        beta_logit,
        "y a0 a1",
        lambda: grid((1e-30, 1e-6, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 2**-24), FEW_ETA, LOG_PHI)
        + some(300, central_beta),
    ),
    "lognormal": (
        lognormal,
        "y a0 a1",
        lambda: grid(POSITIVE + [1e30], (-80, -30, -1, 0, 0.3, 30, 80), LOG_SIGMA)
        + some(200, lambda: (math.exp((v := central_gaussian())[0]), v[1], v[2])),
    ),
    "exponential_log": (
        exponential_log,
        "y censored a0",
        lambda: grid([0] + POSITIVE, (0, 1), ETA)
        + some(200, lambda: (rng.exponential() * math.exp(eta := uniform(-5, 5)), int(uniform(0, 2)), eta)),
    ),
    "weibull_log": (
        weibull_log,
        "y censored a0 a1",
        lambda: grid((1e-6, 0.5, 3, 1e6), (0, 1), (-30, -1, 0, 2, 30), LOG_SHAPE)
        + list(weibull_extremes())
        + some(300, central_weibull),
    ),
    "zero_inflated_poisson": (
        zero_inflated_poisson,
        "y a0 a1",
        lambda: grid((0, 1, 7, 1000, 1000000), FEW_ETA, FEW_ETA)
        + some(300, central_zero_inflated),
    ),
    "hurdle_poisson": (
        hurdle_poisson,
        "y a0 a1",
        lambda: grid((0, 1, 7, 1000, 1000000), FEW_ETA, FEW_ETA)
        + some(300, central_zero_inflated),
    ),
    "cumulative_logit": (
        cumulative_logit,
        "position a0 a1 a2",
        lambda: list(cutpoints()) + some(300, central_cutpoints),
    ),
    "categorical": (
        categorical,
        "y a0 a1 a2",
        lambda: [(y, *a) for y, a in grid(range(4), grid(*[(-80, -30, -3, 0, 0.7, 30, 80)] * 3))]
        + some(300, lambda: (int(uniform(0, 4)), uniform(-6, 6), uniform(-6, 6), uniform(-6, 6))),
    ),
}
INTEGERS = {"n", "censored", "position"}


def text(value):
    return str(value) if isinstance(value, int) else repr(value)


def write(name):
    density, columns, points = FAMILIES[name]
    columns = columns.split()
    seen = set()
    with open(FOLDER / f"{name}.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns + ["log_density"])
        for point in points():
            point = tuple(v if isinstance(v, int) and not c.startswith("a") else f32(v) for c, v in zip(columns, point))
            if point in seen or any(c == "y" and isinstance(v, int) and f32(v) != v for c, v in zip(columns, point)):
                continue
            seen.add(point)
            value = density(*(v if isinstance(v, int) else mp.mpf(v) for v in point))
            if abs(value) <= LARGEST:
                out.writerow([text(v) for v in point] + [text(float(value) + 0.0)])
    print(name, len(seen), "points")


def check():
    """Stored values against scipy.stats, where scipy's own log density keeps ten digits."""
    from scipy import special, stats

    e, sig = np.exp, special.expit
    theirs = {
        "gaussian": lambda c: stats.norm.logpdf(c["y"], c["a0"], e(c["a1"])),
        "student_t": lambda c: stats.t.logpdf(c["y"], e(c["a2"]), c["a0"], e(c["a1"])),
        "bernoulli_logit": lambda c: special.log_expit(np.where(c["y"] > 0, c["a0"], -c["a0"])),
        "binomial_logit": lambda c: stats.binom.logpmf(c["y"], c["n"], sig(c["a0"])),
        "binomial_probit": lambda c: stats.binom.logpmf(c["y"], c["n"], special.ndtr(c["a0"])),
        "binomial_cloglog": lambda c: stats.binom.logpmf(c["y"], c["n"], -special.expm1(-e(c["a0"]))),
        "poisson_log": lambda c: stats.poisson.logpmf(c["y"], e(c["a0"])),
        "negative_binomial_log": lambda c: stats.nbinom.logpmf(c["y"], e(c["a1"]), 1 / (1 + e(c["a0"] - c["a1"]))),
        "gamma_log": lambda c: stats.gamma.logpdf(c["y"], e(c["a1"]), scale=e(c["a0"] - c["a1"])),
        "beta_logit": lambda c: stats.beta.logpdf(c["y"], sig(c["a0"]) * e(c["a1"]), sig(-c["a0"]) * e(c["a1"])),
        "lognormal": lambda c: stats.lognorm.logpdf(c["y"], e(c["a1"]), scale=e(c["a0"])),
        "exponential_log": lambda c: np.where(
            c["censored"] > 0, stats.expon.logsf(c["y"], scale=e(c["a0"])), stats.expon.logpdf(c["y"], scale=e(c["a0"]))
        ),
        "weibull_log": lambda c: np.where(
            c["censored"] > 0,
            (w := stats.weibull_min(e(c["a1"]), scale=e(c["a0"] - special.gammaln(1 + e(-c["a1"]))))).logsf(c["y"]),
            w.logpdf(c["y"]),
        ),
        "zero_inflated_poisson": lambda c: np.log(
            np.where(c["y"] == 0, sig(c["a1"]), 0) + sig(-c["a1"]) * stats.poisson.pmf(c["y"], e(c["a0"]))
        ),
        "hurdle_poisson": lambda c: np.where(
            c["y"] == 0,
            np.log(sig(c["a1"])),
            np.log(sig(-c["a1"])) + stats.poisson.logpmf(c["y"], e(c["a0"])) - np.log(stats.poisson.sf(0, e(c["a0"]))),
        ),
        "cumulative_logit": lambda c: np.log(
            np.where(c["position"] == 2, 1, sig(c["a2"] - c["a0"]))
            - np.where(c["position"] == 0, 0, sig(c["a1"] - c["a0"]))
        ),
        "categorical": lambda c: (
            lambda z: special.log_softmax(z, axis=1)[np.arange(len(z)), c["y"].astype(int)]
        )(np.stack([0 * c["a0"], c["a0"], c["a1"], c["a2"]], axis=1)),
    }
    for name in FAMILIES:
        with open(FOLDER / f"{name}.csv") as file:
            rows = list(csv.DictReader(file))
        columns = {k: np.array([float(r[k]) for r in rows]) for k in rows[0]}
        ours = columns["log_density"]
        with np.errstate(all="ignore"):
            off = np.abs(theirs[name](columns) - ours) / np.maximum(1, np.abs(ours))
        # scipy's forms round a probability to double before taking its logarithm: only moderate points can agree,
        # and of those not all (Phi(8.2) = 1 to double; a Weibull of shape 0.001 has a scale below the smallest double).
        moderate = np.all([np.abs(v) <= 20 for k, v in columns.items() if k.startswith("a")], axis=0) & (np.abs(ours) < 1e3)
        agree = np.mean(off[moderate] < 1e-8)
        print(f"{name}: {len(rows)} lines, {moderate.sum()} moderate, {100 * agree:.1f}% within 1e-8, "
              f"median {np.nanmedian(off[moderate]):.1e}")
        if agree < 0.95:
            sys.exit(f"{name}.csv disagrees with scipy.stats: one of the two definitions is wrong")


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        check()
    else:
        for family in FAMILIES:
            write(family)

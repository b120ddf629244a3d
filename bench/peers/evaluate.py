"""The judge: float64 ELBO, and its gradient, of a mean-field normal over the coefficients; see problem.py for the model.

    ELBO = E_q [ sum_i log p(y_i | x_i . b) ] - KL(q || prior)

The second part is exact. So is the first, up to rounding, in elbo(): x_i . b is normal under q, hence each row's
expectation is an integral over one dimension, done by Gauss-Hermite quadrature. elbo_draws() gives what a system's
estimates scatter like: value and gradient at draws (antithetic, fixed seed).
"""

import numpy as np

BLOCK = 32768  # rows evaluated at a time: a matrix of BLOCK x draws doubles


def noise(draws, columns, seed=20):
    half = np.random.Generator(np.random.PCG64(seed)).standard_normal((draws // 2, columns))
    return np.concatenate([half, -half])


def bernoulli_logit(eta, y):
    """Value and derivative in eta: y eta - softplus(eta)."""
    return y[:, None] * eta - np.logaddexp(0, eta), y[:, None] - 0.5 * (1 + np.tanh(0.5 * eta))


def kl_to_prior(mean, sd, prior_sd):
    return np.sum(np.log(prior_sd / sd) + (sd**2 + mean**2) / (2 * prior_sd**2) - 0.5)


def elbo(problem, mean, sd, nodes=32, gradient=False):
    """No Monte Carlo error. 32 nodes: softplus is smooth on the scale of eta's sd, which is below 1 near a posterior.
    With `gradient` also d/d(mean, log sd), by E f' and E f'' of each row (Bonnet's and Price's theorems)."""
    mean, sd = np.asarray(mean, np.float64), np.asarray(sd, np.float64)
    node, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight = weight / np.sqrt(2 * np.pi)
    total = -kl_to_prior(mean, sd, problem.prior_sd)
    to_mean, to_log_sd = -mean / problem.prior_sd**2, 1 - sd**2 / problem.prior_sd**2
    for begin in range(0, problem.rows, BLOCK):
        x = problem.x[begin : begin + BLOCK].astype(np.float64)
        y = problem.y[begin : begin + BLOCK].astype(np.float64)
        centre, width = x @ mean, np.sqrt(x**2 @ sd**2)
        eta = centre[:, None] + width[:, None] * node
        total += np.sum(y * centre - np.logaddexp(0, eta) @ weight)
        if gradient:
            probability = 0.5 * (1 + np.tanh(0.5 * eta))
            to_mean = to_mean + (y - probability @ weight) @ x
            to_log_sd = to_log_sd - ((probability * (1 - probability)) @ weight) @ x**2 * sd**2
    return (total, np.concatenate([to_mean, to_log_sd])) if gradient else total


def elbo_draws(problem, mean, sd, draws=64, log_lik=bernoulli_logit, gradient=False):
    """ELBO at each draw (its mean estimates the ELBO); with `gradient` also d/d(mean, log sd) at each draw: draws x 2D."""
    mean, sd = np.asarray(mean, np.float64), np.asarray(sd, np.float64)
    eps = noise(draws, problem.columns)
    z = mean + sd * eps
    value = np.zeros(draws)
    slope = np.zeros((draws, problem.columns))
    for begin in range(0, problem.rows, BLOCK):
        x = problem.x[begin : begin + BLOCK].astype(np.float64)
        f, df = log_lik(x @ z.T, problem.y[begin : begin + BLOCK].astype(np.float64))
        value += f.sum(axis=0)
        if gradient:
            slope += df.T @ x
    value -= kl_to_prior(mean, sd, problem.prior_sd)
    if not gradient:
        return value
    prior = problem.prior_sd**2
    return value, np.concatenate([slope - mean / prior, slope * sd * eps + 1 - sd**2 / prior], axis=1)


def standard_error(values):
    """Of the mean over antithetic draws: pairs are independent of each other, their members are not."""
    half = len(values) // 2
    pairs = 0.5 * (values[:half] + values[half:])
    return pairs.std(axis=0, ddof=1) / np.sqrt(half)

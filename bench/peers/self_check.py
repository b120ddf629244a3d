"""Does the judge judge rightly? evaluate.py against closed forms, quadrature and finite differences, and the problem
generator against itself. Needs numpy alone."""

import pathlib
import tempfile

import numpy as np

import evaluate
import problem as problems


def gaussian(eta, y):
    return -0.5 * (y[:, None] - eta) ** 2 - 0.5 * np.log(2 * np.pi), y[:, None] - eta


def small(rows, columns):
    return problems.simulated(rows, columns, seed=3)


def closed_form_gaussian():
    """E_q of sum_i log N(y_i | x_i b, 1) is known: the residuals' squares at the mean plus sum x^2 s^2."""
    p = small(400, 5)
    mean, sd = p.mean.astype(float), np.linspace(0.02, 0.2, 5)
    x, y = p.x.astype(float), p.y.astype(float)
    exact = -0.5 * np.sum((y - x @ mean) ** 2) - 0.5 * np.sum(x**2 * sd**2) - 200 * np.log(2 * np.pi)
    exact -= evaluate.kl_to_prior(mean, sd, p.prior_sd)
    values = evaluate.elbo_draws(p, mean, sd, 4096, gaussian)
    return abs(values.mean() - exact), 5 * evaluate.standard_error(values)  # 5 sd: 6e-7


def quadrature_logistic():
    """One coefficient: E_q by Gauss-Hermite, exact to rounding for so smooth a function and so narrow a q."""
    p = small(300, 1)
    mean, sd = 0.3, 0.15
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    eta = p.x.astype(float) * (mean + sd * node)
    y = p.y.astype(float)[:, None]
    exact = np.sum((y * eta - np.logaddexp(0, eta)) @ (weight / np.sqrt(2 * np.pi)))
    exact -= evaluate.kl_to_prior(np.array([mean]), np.array([sd]), p.prior_sd)
    values = evaluate.elbo_draws(p, [mean], [sd], 4096)
    return abs(values.mean() - exact), 5 * evaluate.standard_error(values)


def quadrature_many():
    """Several coefficients: the same ELBO from draws of all of them as from the rows' own integrals."""
    p = small(500, 6)
    sd = np.linspace(0.05, 0.3, 6)
    values = evaluate.elbo_draws(p, p.mean, sd, 4096)
    return abs(values.mean() - evaluate.elbo(p, p.mean, sd)), 5 * evaluate.standard_error(values)


def enough_nodes():
    """Twice the nodes change nothing that matters beside the 0.1 nat told apart, even where q is wide."""
    p = small(2000, 6)
    sd = np.full(6, 0.3)
    return abs(evaluate.elbo(p, p.mean, sd) - evaluate.elbo(p, p.mean, sd, 64)), 1e-6


def prior_kl():
    """KL of normal(1, 0.5) from normal(0, 2): log 4 + (0.25 + 1) / 8 - 1/2."""
    kl = evaluate.kl_to_prior(np.array([1.0]), np.array([0.5]), 2.0)
    return abs(kl - (np.log(4) + 1.25 / 8 - 0.5)), 1e-14  # a few roundings of numbers near 1


def differences(elbo, p):
    at, h = np.concatenate([p.mean.astype(float), p.log_sd.astype(float)]), 1e-5
    half = p.columns
    steps = h * np.eye(2 * half)
    both = [[elbo(v[:half], np.exp(v[half:])) for v in (at + step, at - step)] for step in steps]
    return np.array([(up - down) / (2 * h) for up, down in both])


def gradient_of_draws():
    """Same draws, so finite differences of the mean differ from the mean gradient by their own error alone."""
    p = small(200, 4)
    exact = evaluate.elbo_draws(p, p.mean, np.exp(p.log_sd), 64, gradient=True)[1].mean(axis=0)
    numeric = differences(lambda mean, sd: evaluate.elbo_draws(p, mean, sd, 64).mean(), p)
    return np.max(np.abs(numeric - exact)), 1e-5  # rounding of the ELBO, 1e-14 of 150, over 2 h: 1e-7; h^2 terms less


def gradient_of_quadrature():
    p = small(200, 4)
    exact = evaluate.elbo(p, p.mean, np.exp(p.log_sd.astype(float)), gradient=True)[1]
    return np.max(np.abs(differences(lambda mean, sd: evaluate.elbo(p, mean, sd), p) - exact)), 1e-5  # as above


def file_round_trip():
    """A problem file gives back the same bits, and a seed the same problem."""
    p, again = small(100, 3), small(100, 3)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "p"
        problems.write(path, p)
        back = problems.read(path)
    parts = ("y", "x", "mean", "log_sd")
    same = all(np.array_equal(getattr(p, k), getattr(q, k)) for k in parts for q in (back, again))
    return (0 if same and back.prior_sd == p.prior_sd else 1), 0


def flights(root):
    p = problems.named("flights", root)
    ones = np.abs(p.x[:, 0] - 1).max()
    moments = np.abs(p.x[:, 1:3].mean(axis=0, dtype=float)).max() + np.abs(p.x[:, 1:3].std(axis=0, dtype=float) - 1).max()
    return ones + moments + (p.rows != 60000), 1e-5  # float32 columns, standardised in float64


def run(root):
    checks = [closed_form_gaussian, quadrature_logistic, quadrature_many, enough_nodes, prior_kl, gradient_of_draws,
              gradient_of_quadrature, file_round_trip, lambda: flights(root)]
    failed = 0
    for check in checks:
        error, allowed = check()
        name = check.__name__ if check.__name__ != "<lambda>" else "flights"
        failed += not error <= allowed
        print(f"{name:<24} error {error:.3g}, allowed {allowed:.3g}: {'ok' if error <= allowed else 'WRONG'}")
    return 1 if failed else 0

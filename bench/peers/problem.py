"""Problems that every system is given: one file, the same bits for all.

The model is logistic regression without an intercept of its own,

    b_j ~ normal(0, prior_sd),     y_i ~ bernoulli_logit(x_i . b)

with a mean-field normal guide. Little-endian layout of a file:

    8 bytes "JENSENP1", int64 rows N, int64 columns D, float64 prior_sd,
    float32 y[N] (0 or 1), float32 x[N][D] by rows, float32 mean[D], float32 log_sd[D]

`mean` and `log_sd` are where gradients are compared and timed steps start: near the posterior but off its centre, so that
no gradient vanishes.
"""

import csv
import gzip
import pathlib
import struct
from dataclasses import dataclass

import numpy as np

MAGIC = b"JENSENP1"
HEAD = "<8sqqd"


@dataclass
class Problem:
    prior_sd: float
    y: np.ndarray  # N
    x: np.ndarray  # N x D
    mean: np.ndarray  # D
    log_sd: np.ndarray  # D

    @property
    def rows(self):
        return self.x.shape[0]

    @property
    def columns(self):
        return self.x.shape[1]


def write(path, problem):
    with open(path, "wb") as file:
        file.write(struct.pack(HEAD, MAGIC, problem.rows, problem.columns, problem.prior_sd))
        for part in (problem.y, problem.x, problem.mean, problem.log_sd):
            file.write(np.ascontiguousarray(part, "<f4").tobytes())


def read(path):
    with open(path, "rb") as file:
        head = file.read(struct.calcsize(HEAD))
        magic, rows, columns, prior_sd = struct.unpack(HEAD, head) if len(head) == struct.calcsize(HEAD) else (b"",) * 4
        if magic != MAGIC:
            raise SystemExit(f"not a problem file ({path}); bench/compare writes them")
        numbers = np.fromfile(file, "<f4")
    if numbers.size != rows + rows * columns + 2 * columns:
        raise SystemExit(f"the problem file is cut short ({path}); remove it, bench/compare writes it again")
    y, x, mean, log_sd = np.split(numbers, np.cumsum([rows, rows * columns, columns]))
    return Problem(prior_sd, y, x.reshape(rows, columns), mean, log_sd)


def simulated(rows, columns, seed):
    """Columns are standard normal, neighbours correlated by 0.5 as an autoregression; two fifths of y are 1."""
    random = np.random.Generator(np.random.PCG64(seed))
    x = random.standard_normal((rows, columns), dtype=np.float32)
    for j in range(1, columns):
        x[:, j] = np.float32(0.5) * x[:, j - 1] + np.float32(np.sqrt(0.75)) * x[:, j]
    truth = random.standard_normal(columns) / np.sqrt(columns)
    y = random.random(rows) < 1 / (1 + np.exp(0.5 - x @ truth))
    sd = np.full(columns, 2 / np.sqrt(rows))
    mean = truth + 3 * sd * np.where(np.arange(columns) % 2 == 0, 1, -1)
    return Problem(2.5, y.astype(np.float32), x, mean.astype(np.float32), np.log(sd).astype(np.float32))


def flights(path):
    """late ~ 1 + hour + distance + carrier + origin of examples/data/flights.csv.gz: a column of ones, numbers
    standardised, treatment contrasts of the factors."""
    with gzip.open(path, "rt", newline="") as file:
        table = [row for row in csv.DictReader(file) if all(row[k] not in ("", "NA") for k in
                                                            ("late", "hour", "distance", "carrier", "origin"))]
    columns = [np.ones(len(table))]
    for name in ("hour", "distance"):
        value = np.array([float(row[name]) for row in table])
        columns.append((value - value.mean()) / value.std())
    for name in ("carrier", "origin"):
        text = np.array([row[name] for row in table])
        columns += [text == level for level in np.unique(text)[1:]]
    x = np.stack([np.asarray(column, np.float32) for column in columns], axis=1)
    y = np.array([float(row["late"]) for row in table], np.float32)
    d = x.shape[1]
    return Problem(2.5, y, x, np.zeros(d, np.float32), np.full(d, np.log(0.05), np.float32))


def named(name, root):
    """The problem of a name: `ROWSxCOLUMNS`, or `flights`."""
    if name == "flights":
        return flights(pathlib.Path(root) / "examples/data/flights.csv.gz")
    rows, columns = (int(part) for part in name.split("x"))
    return simulated(rows, columns, seed=1)

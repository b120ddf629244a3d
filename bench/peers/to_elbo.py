"""Section "elbo" of bench/compare: time until each system's own training is within a tolerance of the best ELBO.

A user of a peer has to choose a step size, a schedule, S and perhaps a minibatch. Here each peer is given several choices,
each is run once, and only the one that gets there first is timed, in turn with the others. The time that finding it
takes is not counted, in the peers' favour; nor is compiling, nor deciding when to stop. Jensen is timed with its
defaults, from columns in memory on: reading them and searching for the start count. How long the whole call takes,
through its own stop rule, its final ELBO and its verdict, is reported beside it.
"""

import statistics

import evaluate

# A nat short is a distance of sqrt(2) posterior sds over all D coefficients: small beside what mean-field leaves out. A
# tenth of it moves no summary's second digit. Ten nats are a poor fit, yet 60 times finer than Stan's stop rule, 1 % of an
# ELBO of -60,000, tells apart.
TOLERANCES = (10.0, 1.0, 0.1)

CHECKPOINTS = 20  # 50 steps apart

# form, S, rate, steps in which it falls tenfold (0: never), batch (0: all rows), first sd (0.1: AutoNormal's own)
NUMPYRO = [
    ("numpyro", 1, 0.005, 0, 0, 0.01),
    ("numpyro", 1, 0.05, 500, 0, 0.1),
    ("numpyro", 8, 0.1, 200, 0, 0.1),
    ("numpyro", 8, 0.05, 300, 0, 0.1),
    ("numpyro", 8, 0.05, 600, 0, 0.01),
    ("numpyro-meanfield", 8, 0.05, 300, 0, 0.1),
    ("numpyro", 32, 0.1, 200, 0, 0.1),
    ("numpyro", 8, 0.1, 500, 8192, 0.1),
    ("jax-rows", 8, 0.1, 500, 8192, 0.1),
]
TORCH = [("torch-samples", 8, 0.1, 200, 0, 0.1), ("torch-samples", 8, 0.05, 300, 0, 0.1)]
# options of rstan::vb: its defaults, then a ladder of lengths with a fixed step size, which did better than its own choice
STAN = [
    dict(iterations="10000"),
    dict(iterations="300,1000,3000", tol_rel_obj=1e-9, eval_elbo=100, elbo_samples=10, eta=0.1),
]


def label(form, samples, rate, decay, batch, start_sd):
    size = f"rate {rate:g}" + (f" / 10^(t/{decay:g})" if decay else "")
    return f"{form}: S = {samples}, {size}, {'all rows' if batch == 0 else f'{batch} rows'}, sd from {start_sd:g}"


def candidates(comparison, threads):
    """label -> how to start it"""
    systems = comparison.systems
    start = {"jensen": lambda path: systems.start("jensen", "jensen", "train", path, threads, 0, steps=50)}

    def add(name, form, samples, rate, decay, batch, start_sd):
        options = dict(rate=rate, decay=decay, batch=batch, start_sd=start_sd, steps=50, checkpoints=CHECKPOINTS)
        start[name] = lambda path: systems.start(name, form, "train", path, threads, samples, **options)

    for system, choices in (("numpyro", NUMPYRO), ("torch", TORCH)):
        for choice in choices if systems.has(system) else []:
            add(label(*choice), *choice)
    for options in STAN if systems.has("stan") else []:
        name = "stan: " + (", ".join(f"{k} {v}" for k, v in options.items()) if len(options) > 1 else "defaults")
        start[name] = lambda path, n=name, o=options: systems.start(n, "stan", "train", path, threads, 1, **o)
    return start


def reached(seconds, elbos, goal):
    """Seconds to the first checkpoint from which on the run stays within the goal; None if there is none."""
    last_short = max((i for i, value in enumerate(elbos) if not value >= goal), default=-1)
    return seconds[last_short + 1] if last_short + 1 < len(elbos) else None


def stays(name):
    """Stan's entries are runs of their own, so the first good one counts even if a longer one is not."""
    return not name.startswith("stan")


def time_to(name, run, elbos, goal):
    if stays(name):
        return reached(run["seconds"], elbos, goal)
    return min((s for s, value in zip(run["seconds"], elbos) if value >= goal), default=None)


def compare(comparison, name, threads):
    path, problem = comparison.problem(name)
    print(f"\n{name} ({problem.rows} x {problem.columns}), {comparison.says(threads)}: time to the same ELBO")
    start = candidates(comparison, threads)
    runs, elbos = {}, {}
    for key, starter in start.items():
        worker = starter(path)
        if worker is None:
            continue
        runs[key] = worker.run()
        elbos[key] = [evaluate.elbo(problem, m, s) for m, s in zip(runs[key]["mean"], runs[key]["sd"])]
        worker.close()
    best = max(max(values) for values in elbos.values())
    check_own(comparison, runs.get("jensen"), elbos.get("jensen"), best)

    tried = [{"system": key, "short_at_end": best - elbos[key][-1], "seconds": runs[key]["seconds"][-1],
              "reached": {str(t): time_to(key, runs[key], elbos[key], best - t) for t in TOLERANCES}} for key in runs]
    for entry in sorted(tried, key=lambda e: (e["system"].split(":")[0], e["short_at_end"])):
        times = ", ".join(f"{t} nat {'never' if s is None else f'{s:.3g} s'}" for t, s in entry["reached"].items())
        print(f"  tried {entry['system']:<70} ends {entry['short_at_end']:.3g} nats short; {times}")

    case = {"section": "elbo", "problem": name, "rows": problem.rows, "columns": problem.columns, "threads": threads,
            "best_elbo": best, "tried": tried, "to": [], "bounds": []}
    comparison.cases.append(case)
    for tolerance in TOLERANCES:
        finals(comparison, case, path, problem, start, tried, best, tolerance)


def check_own(comparison, run, elbos, best):
    """Jensen's own ELBO against the judge's, and against the best."""
    if run is None:
        return
    # 5 standard errors, and float32 in the rows' sum: 1e-6 of it
    allowed = 5 * run["own_elbo_se"] + 1e-6 * abs(best)
    if not abs(run["own_elbo"] - elbos[-1]) <= allowed:
        comparison.wrong.append(f"jensen says its ELBO is {run['own_elbo']:.6f}, the judge {elbos[-1]:.6f}")
    if not elbos[-1] >= best - 1:
        comparison.wrong.append(f"jensen's q is {best - elbos[-1]:.3g} nats short of the best")


def finals(comparison, case, path, problem, start, tried, best, tolerance):
    """The fastest choice of each system, in turn, five times."""
    chosen = []
    for system in ("jensen", "numpyro", "jax", "torch", "stan"):
        mine = [e for e in tried if e["system"].split(":")[0].split("-")[0] == system]
        there = [e for e in mine if e["reached"][str(tolerance)] is not None]
        if there:
            chosen.append(min(there, key=lambda e: e["reached"][str(tolerance)])["system"])
        elif mine:
            print(f"  {system} never got within {tolerance} nat; longest run {max(e['seconds'] for e in mine):.3g} s")
    workers = [worker for worker in (start[key](path) for key in chosen) if worker]
    times = {worker.name: [] for worker in workers}
    whole = []  # of jensen's calls
    slow = {worker.name for worker in workers if worker.name.startswith("stan")}
    for turn in range(5):
        for worker in workers:
            if worker.name in slow and turn >= 2:
                continue  # a ladder takes minutes
            run = worker.run()
            values = [evaluate.elbo(problem, m, s) for m, s in zip(run["mean"], run["sd"])]
            seconds = time_to(worker.name, run, values, best - tolerance)
            if seconds is not None:  # the same seed and build get there again; JAX and Stan are deterministic too
                times[worker.name].append(seconds)
            if worker.name == "jensen":
                whole.append(run["seconds"][-1])
    for worker in workers:
        worker.close()
    mine = statistics.median(times["jensen"]) if times.get("jensen") else None
    result = {"tolerance": tolerance, "systems": {}}
    print(f"  within {tolerance} nat of the best:")
    for key in times:
        if times[key]:
            result["systems"][key] = {"median_s": statistics.median(times[key]), "least_s": min(times[key]),
                                      "most_s": max(times[key])}
            ratio = f"{statistics.median(times[key]) / mine:.3g} of jensen" if mine else ""
            print(f"    {key:<72} {statistics.median(times[key]):>9.4g} s {ratio}")
    if whole:
        result["jensen_whole_call_s"] = statistics.median(whole)
        print(f"    {'jensen, the whole call':<72} {statistics.median(whole):>9.4g} s")
    case["to"].append(result)
    for prefix, wanted, what in ((("numpyro",), 3, "NumPyro"), (("jax",), 3, "steps written by hand in JAX"),
                                 (("stan",), 10, "Stan")):
        theirs = [s["median_s"] for key, s in result["systems"].items() if key.startswith(prefix)]
        if theirs and mine:
            comparison.bound(case, min(theirs) / mine, wanted, f"{what}, to within {tolerance} nat")

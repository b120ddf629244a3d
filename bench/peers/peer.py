"""How bench/compare talks to a peer: one line of JSON once it is ready (compiled, warmed up, its result at the problem's
starting point), then one line for each line on standard input, each a run on its own. The end of input ends it."""

import argparse
import json
import sys


def arguments(forms):
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["steps", "train"])
    parser.add_argument("problem")
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--form", choices=forms, default=forms[0])
    parser.add_argument("--steps", type=int, default=10, help="a run; of train: between two checkpoints")
    parser.add_argument("--checkpoints", type=int, default=20, help="of train")
    parser.add_argument("--batch", type=int, default=0, help="of train: rows a step, 0 for all")
    parser.add_argument("--rate", type=float, default=0.01, help="of train: Adam's first step size")
    parser.add_argument("--decay", type=float, default=0, help="of train: steps in which the rate falls tenfold; 0: never")
    parser.add_argument("--start-sd", type=float, default=0.1, help="of train; 0.1 is AutoNormal's own")
    return parser.parse_args()


def checks(samples):
    """Estimates that go into the mean which the judge looks at: 64 draws at least, two estimates at least."""
    return max(2, 64 // samples)


def serve(ready, run):
    print(json.dumps(ready), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run()), flush=True)

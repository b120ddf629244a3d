"""Compares expected.json with the columns that formulaic, an independent implementation, makes of the same formulas.

Run: python cross_check.py   (needs formulaic, numpy, pandas). Prints a line for each formula that is not the same set of
columns; exits with 1 if one spans another space. Formulas with operators that formulaic reads otherwise are left out.
"""

import json
import re
import sys
from pathlib import Path

import formulaic
import numpy as np
import pandas as pd

FUNCTIONS = {"log2": np.log2, "log1p": np.log1p, "expm1": np.expm1, "sqrt": np.sqrt, "abs": np.abs, "sin": np.sin,
             "cos": np.cos, "tan": np.tan, "pi": np.pi}


def translated(formula):
    """The right side as formulaic writes it, or None."""
    right = formula.split("~")[1].strip()
    if re.search(r"degree|offset|poly\(x\)|\)\^3|%in%|e-?[0-9]|%|:poly.*:poly", right):
        return None
    right = re.sub(r"factor\((\w+)\)", r"C(\1)", right)
    right = re.sub(r"\bI\(([^~]*?)\)(?= |$|\))", lambda m: "{" + m[1].replace("^", "**") + "}", right)
    return right if right.count("{") == right.count("I(") or "I(" not in right else None


def span_residual(a, b):
    """Largest distance of a column of `a` from the span of `b`."""
    if a.shape[1] == 0:
        return 0.0
    return float(np.abs(a - b @ np.linalg.lstsq(b, a, rcond=None)[0]).max())


def main():
    data = json.loads(Path(__file__).with_name("expected.json").read_text())
    table = pd.DataFrame(data["table"])
    same = spanning = wrong = left_out = 0
    for case in data["cases"]:
        right = translated(case["formula"])
        used = table.iloc[case["rows"]]
        ours = np.array(case["columns"]).reshape(-1, len(case["rows"])).T
        if case["intercept"]:
            ours = np.column_stack([np.ones(len(used)), ours])
        try:
            if right is None:
                raise ValueError("not translated")
            theirs = np.asarray(formulaic.model_matrix(right, used, context=FUNCTIONS), dtype=float)
        except Exception as problem:
            left_out += 1
            print(f"left out   {case['formula']}  ({str(problem).splitlines()[0][:60]})")
            continue
        key = lambda matrix: sorted(map(tuple, np.round(matrix.T, 9) + 0.0))
        if ours.shape == theirs.shape and key(ours) == key(theirs):
            same += 1
        elif max(span_residual(ours, theirs), span_residual(theirs, ours)) < 1e-8:
            spanning += 1
            print(f"same span  {case['formula']}")
        else:
            wrong += 1
            print(f"DIFFERENT  {case['formula']}")
    print(f"{same} the same, {spanning} of the same span, {wrong} different, {left_out} left out")
    return wrong > 0


sys.exit(main())

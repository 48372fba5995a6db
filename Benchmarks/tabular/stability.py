"""Does another seed tell another story? Ten tables, five seeds each.

usage: stability.py HEADLAMP [SEEDS]

`headlamp explain --seed S` holds out other rows, and fits anew, with every seed. The table gives the mean Jaccard overlap
of the kept features over pairs of seeds, the share of rows for which two seeds' surrogates say the same, the same for the
black boxes, and what the command itself printed as stability (refits to redrawn rows, mean over seeds). For quantities two
say the same where they name the same third of the target.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pandas as pd

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import package_tables  # noqa: E402

warnings.filterwarnings("ignore")
TABLES = ["titanic", "penguins", "pima", "credit", "college", "attrition", "oj", "auto", "boston", "car-seats"]


def said(values, frame, target):
    if package_tables.is_classes(frame, target):
        return values
    return np.searchsorted(np.quantile(frame[target], [1 / 3, 2 / 3]), values.astype(float))


def main():
    command = os.path.abspath(sys.argv[1])
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print("| table | kept features | Jaccard over seeds | surrogates agree | black boxes agree | printed: Jaccard | printed: rules agree |")
    print("|---|---|---|---|---|---|---|")
    for name in TABLES:
        frame, target = package_tables.read(name)
        runs = []
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "table.csv")
            frame.to_csv(path, index=False)
            rows = ",".join(str(1 + i) for i in np.random.default_rng(0).choice(len(frame), min(200, len(frame)), replace=False))
            for seed in range(seeds):
                out = os.path.join(folder, str(seed))
                subprocess.run([command, "explain", path, "--target", target, "--seed", str(seed), "--rows", rows, "--output", out,
                                "--no-report"], check=True, capture_output=True)
                with open(os.path.join(out, "summary.json")) as file:
                    summary = json.load(file)
                with open(os.path.join(out, "surrogate.json")) as file:
                    kept = json.load(file)["features"]
                explained = pd.read_csv(os.path.join(out, "explanations.csv")).set_index("row").sort_index()
                runs.append((summary["stability"], kept, explained))
        pairs = list(itertools.combinations(runs, 2))
        jaccard = [len(set(a[1]) & set(b[1])) / len(set(a[1]) | set(b[1])) for a, b in pairs]
        if package_tables.is_classes(frame, target):
            # The probability of the outcome that the black box names: the surrogate says so too where it is above one half.
            surrogate = [np.where(r[2].surrogate_prediction > 0.5, r[2].outcome, "other") for r in runs]
            black_box = [r[2].outcome.to_numpy() for r in runs]
        else:
            surrogate = [said(r[2].surrogate_prediction.to_numpy(), frame, target) for r in runs]
            black_box = [said(r[2].prediction.to_numpy(), frame, target) for r in runs]
        agree = [np.mean([np.mean(a == b) for a, b in itertools.combinations(own, 2)]) for own in (surrogate, black_box)]
        printed = [np.mean([r[0][key]["value"] for r in runs]) for key in ("top_k_jaccard", "rule_agreement")]
        counts = sorted(len(r[1]) for r in runs)
        print(f"| {name}, {len(frame):,} rows | {counts[0]}–{counts[-1]} of {frame.shape[1] - 1} | {np.mean(jaccard):.2f} ({min(jaccard):.2f}–{max(jaccard):.2f}) "
              f"| {agree[0]:.2f} | {agree[1]:.2f} | {printed[0]:.2f} | {printed[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()

"""How good are the black boxes on real tables, beside scikit-learn and XGBoost on folds of the same kind?

usage: quality.py HEADLAMP FOLDER [--kinds KIND,…] [--seeds N]

FOLDER holds spambase.csv, khan_63x2308.csv.gz, golub_72x7129.csv.gz, gordon_181x12533.csv.gz,
symptom_precaution_training.csv (de-duplicated here) and wdbc.csv. Five stratified folds, copies of a row on one side; ours by
`headlamp fit`, theirs with StratifiedGroupKFold: extra trees of 300, boosted trees of 100 rounds and depth 6. Every
figure is the mean of the seeds from 5 on, ± the greatest distance from it; the defaults of boosted trees were chosen on these
tables, with other seeds. --kinds names ours, by default extra-trees,boosted; the peers' columns are left out where
neither is among them.
"""

import argparse
import json
import subprocess
import tempfile
import warnings

import numpy as np
import xgboost
from real_tables import frames
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import accuracy_score, matthews_corrcoef
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

warnings.filterwarnings("ignore")
TABLES = ["spambase.csv", "khan_63x2308.csv.gz", "golub_72x7129.csv.gz", "gordon_181x12533.csv.gz",
          "symptom_precaution_training.csv", "wdbc.csv"]
FIRST_SEED = 5
PEERS = {"extra-trees": "scikit-learn's extra trees", "boosted": "XGBoost"}


def ours(headlamp, path, kind, seed):
    done = subprocess.run([headlamp, "fit", path, "--black-box", kind, "--seed", str(seed), "--json"],
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    held = json.loads(done.stdout)["held_out"]
    return held["accuracy"]["value"], held["mcc"]["value"]


def theirs(frame, kind, seed):
    x, y = frame.iloc[:, :-1], frame.iloc[:, -1].astype("category").cat.codes.to_numpy()
    groups = x.groupby(list(x.columns[:200])).ngroup().to_numpy()
    if kind == "extra-trees":
        model = ExtraTreesClassifier(300, n_jobs=2, random_state=seed)
    else:
        model = xgboost.XGBClassifier(n_estimators=100, max_depth=6, tree_method="hist", n_jobs=2,
                                      max_bin=32 if len(x) < 2000 else 256)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    predicted = cross_val_predict(model, x.to_numpy(np.float32), y, cv=folds, groups=groups)
    return accuracy_score(y, predicted), matthews_corrcoef(y, predicted)


def text(results):
    means = np.mean(results, axis=0)
    spread = np.abs(np.array(results) - means).max(axis=0)
    return f"{means[0]:.3f} ± {spread[0]:.3f} / {means[1]:.3f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("headlamp")
    parser.add_argument("folder")
    parser.add_argument("--kinds", default="extra-trees,boosted")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.seeds)
    kinds = arguments.kinds.split(",")
    peer_kinds = [kind for kind in PEERS if kind in kinds]
    print("accuracy ± spread over seeds / MCC\n")
    print("| table | rows × columns, classes | one standard error | " + " | ".join(kinds)
          + "".join(f" | {PEERS[kind]}" for kind in peer_kinds) + " |")
    print("|" + "---|" * (len(kinds) + len(peer_kinds) + 3), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, frame, path in frames(arguments.folder, folder, TABLES):
            mine = [[ours(arguments.headlamp, path, kind, seed) for seed in seeds] for kind in kinds]
            peers = [[theirs(frame, kind, seed) for seed in seeds] for kind in peer_kinds]
            best = np.mean(mine[0], axis=0)[0]
            error = np.sqrt(max(best * (1 - best), 1 / len(frame)) / len(frame))
            print(f"| {name} | {len(frame)} × {frame.shape[1] - 1}, {frame.iloc[:, -1].nunique()} "
                  f"| {error:.3f} | " + " | ".join(text(results) for results in mine + peers) + " |", flush=True)


if __name__ == "__main__":
    main()

"""How good are the black boxes on real tables, beside scikit-learn and XGBoost on folds of the same kind?

usage: quality.py HEADLAMP FOLDER [--networks]

FOLDER holds spambase.csv, khan_63x2308.csv.gz, golub_72x7129.csv.gz, gordon_181x12533.csv.gz and
symptom_precaution_training.csv (de-duplicated here). Five stratified folds, copies of a row on one side; ours by
`headlamp fit`, theirs with StratifiedGroupKFold: extra trees of 300, boosted trees of 100 rounds and depth 6. Every
figure is the mean of three seeds, ± the greatest distance from it. --networks adds mlp and cae-san.
"""

import argparse
import json
import os
import subprocess
import tempfile
import warnings

import numpy as np
import pandas as pd
import xgboost
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import accuracy_score, matthews_corrcoef
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

warnings.filterwarnings("ignore")
TABLES = ["spambase.csv", "khan_63x2308.csv.gz", "golub_72x7129.csv.gz", "gordon_181x12533.csv.gz",
          "symptom_precaution_training.csv"]
SEEDS = (0, 1, 2)


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
    parser.add_argument("--networks", action="store_true")
    arguments = parser.parse_args()
    kinds = ["extra-trees", "boosted"] + (["mlp", "cae-san"] if arguments.networks else [])
    print("accuracy ± spread over seeds / MCC\n")
    print("| table | rows × columns, classes | one standard error | " + " | ".join(kinds)
          + " | scikit-learn's extra trees | XGBoost |")
    print("|" + "---|" * (len(kinds) + 5))
    with tempfile.TemporaryDirectory() as folder:
        for name in TABLES:
            frame = pd.read_csv(os.path.join(arguments.folder, name))
            path = os.path.join(arguments.folder, name)
            if name.startswith("symptom"):
                frame = frame.drop_duplicates(subset=list(frame.columns[:-1]))
                path = os.path.join(folder, "symptom.csv")
                frame.to_csv(path, index=False)
            cells = [text([ours(arguments.headlamp, path, kind, seed) for seed in SEEDS]) for kind in kinds]
            peers = [[theirs(frame, kind, seed) for seed in SEEDS] for kind in ("extra-trees", "boosted")]
            best = np.mean(peers[0], axis=0)[0]
            error = np.sqrt(max(best * (1 - best), 1 / len(frame)) / len(frame))
            print(f"| {name.split('.')[0]} | {len(frame)} × {frame.shape[1] - 1}, {frame.iloc[:, -1].nunique()} "
                  f"| {error:.3f} | " + " | ".join(cells + [text(p) for p in peers]) + " |", flush=True)


if __name__ == "__main__":
    main()

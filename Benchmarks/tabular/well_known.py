"""The tables that everyone tries first: held-out quality of `fit` and `explain` with no option but the target, beside
LightGBM's defaults.

usage: well_known.py HEADLAMP FOLDER [SEEDS]

FOLDER holds NAME.csv for each name in TABLES, as published. A quarter of the rows is held out, stratified, once a seed. Ours is
`headlamp fit` of the black box that `explain` chooses, and `predict`. LightGBM is given the same rows and the columns that ours
keeps, texts as categories, dates left out. The last column is the time of `explain` on the whole table.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

import lightgbm
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

warnings.filterwarnings("ignore")
TABLES = {"titanic": "Survived", "adult": "income", "credit-g": "class", "compas": "two_year_recid", "bike": "cnt",
          "ames": "Sale_Price", "penguins": "species", "mpg": "mpg"}


def run(*arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True)


def quality(truth, said, is_classes):
    if is_classes:
        return float(np.mean(np.array(truth).astype(str) == np.array(said).astype(str)))
    error = np.sum((np.array(truth) - np.array(said, dtype=float)) ** 2)
    return float(1 - error / np.sum((np.array(truth) - np.mean(truth)) ** 2))


def ours(command, folder, kind, train, test, target, is_classes):
    paths = {name: os.path.join(folder, name) for name in ("train.csv", "test.csv", "model.json", "said.csv")}
    train.to_csv(paths["train.csv"], index=False)
    test.to_csv(paths["test.csv"], index=False)
    run(command, "fit", paths["train.csv"], "--target", target, "--black-box", kind, "--output", paths["model.json"])
    run(command, "predict", paths["test.csv"], "--target", target, "--black-box", paths["model.json"], "--output", paths["said.csv"])
    return quality(test[target], pd.read_csv(paths["said.csv"])["prediction"], is_classes)


def theirs(train, test, target, kept, is_classes):
    def prepared(frame):
        frame = frame[kept].copy()
        for column in kept:
            if frame[column].dtype.kind not in "fiub":
                frame[column] = pd.Categorical(frame[column], categories=sorted(set(train[column].dropna().astype(str))))
        return frame
    model = (lightgbm.LGBMClassifier if is_classes else lightgbm.LGBMRegressor)(verbose=-1, n_jobs=1)
    model.fit(prepared(train), train[target].astype(str) if is_classes else train[target])
    return quality(test[target], model.predict(prepared(test)), is_classes)


def is_date(column):
    return column.dtype.kind not in "fiub" and str(column.dropna().iloc[0])[:4].isdigit()


def main():
    command, source = os.path.abspath(sys.argv[1]), sys.argv[2]
    seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    print("| table | rows | measure | headlamp | LightGBM | difference ± standard error | explain |\n|---|---|---|---|---|---|---|")
    for name, target in TABLES.items():
        path = os.path.join(source, f"{name}.csv")
        if not os.path.exists(path):
            print(f"| {name} | no such file |", flush=True)
            continue
        frame = pd.read_csv(path, skipinitialspace=True)
        is_classes = frame[target].dtype.kind not in "fiu" or frame[target].nunique() == 2
        pairs = []
        with tempfile.TemporaryDirectory() as folder:
            start = time.time()
            run(command, "explain", path, "--target", target, "--output", folder + "/why", "--no-report")
            seconds = time.time() - start
            with open(folder + "/why/summary.json") as file:
                kind = json.load(file)["black_box"]["name"]
            with open(folder + "/why/importance.csv") as file:
                columns = pd.read_csv(file)["feature"]
            kept = [c for c in frame if c in set(columns) and not is_date(frame[c])]
            for seed in range(seeds):
                train, test = train_test_split(
                    frame, test_size=0.25, random_state=seed, stratify=frame[target] if is_classes else None)
                pairs.append((ours(command, folder, kind, train, test, target, is_classes),
                              theirs(train, test, target, kept, is_classes)))
        a, b = np.array(pairs).T
        error = np.std(a - b, ddof=1) / np.sqrt(len(a))
        print(f"| {name} | {len(frame)} | {'accuracy' if is_classes else 'R²'} | {a.mean():.3f} | {b.mean():.3f} | "
              f"{(a - b).mean():+.3f} ± {error:.3f} | {seconds:.1f} s |", flush=True)


if __name__ == "__main__":
    main()

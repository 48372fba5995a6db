"""Are boosted trees too sure of themselves? Log loss beside LightGBM's and scikit-learn's defaults.

usage: calibration.py HEADLAMP [choosing|reporting] [SEEDS]

A quarter of each table is held out, stratified, five seeds unless told. Ours is `headlamp fit --black-box boosted`
followed by `predict`, with the calibration that folds give it and, in the column before, without (--folds 0).
"""

import os
import subprocess
import sys
import tempfile
import warnings

import lightgbm
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import package_tables  # noqa: E402

warnings.filterwarnings("ignore")


def as_categories(frame, levels):
    frame = frame.copy()
    for column in frame:
        if column in levels:
            frame[column] = pd.Categorical(frame[column].astype(object), categories=levels[column])
    return frame


def ours(command, folder, train, test, target, folds):
    paths = [os.path.join(folder, name) for name in ("train.csv", "test.csv", "model.json", "predictions.csv")]
    train.to_csv(paths[0], index=False)
    test.to_csv(paths[1], index=False)
    subprocess.run([command, "fit", paths[0], "--target", target, "--black-box", "boosted", "--folds", str(folds), "--output",
                    paths[2]], check=True, capture_output=True)
    subprocess.run([command, "predict", paths[1], "--target", target, "--black-box", paths[2], "--output", paths[3]], check=True,
                   capture_output=True)
    return pd.read_csv(paths[3])


def loss_of(predictions, truth):
    labels = sorted(set(truth))
    columns = []
    for label in labels:
        found = [c for c in predictions if c == str(label) or c.endswith(f" {label}") or c.endswith(f"_{label}")]
        columns.append(predictions[found[0]])
    values = np.clip(np.array(columns).T, 1e-7, 1)
    return log_loss(truth, values / values.sum(1, keepdims=True), labels=labels)


def main():
    command = os.path.abspath(sys.argv[1])
    part = sys.argv[2] if len(sys.argv) > 2 else "reporting"
    seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    names = ["ours, as fitted", "ours, calibrated", "LightGBM", "scikit-learn", "scikit-learn, early stopping"]
    print("| table | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    rows = []
    for name in getattr(package_tables, part.upper()):
        frame, target = package_tables.read(name)
        if not package_tables.is_classes(frame, target):
            continue
        frame[target] = frame[target].astype(str)
        inputs = [c for c in frame if c != target]
        levels = {c: sorted(frame[c].dropna().astype(str).unique()) for c in inputs if frame[c].dtype.kind not in "fiub"}
        for c in levels:
            frame[c] = frame[c].astype(object).where(frame[c].isna(), frame[c].astype(str))
        losses = []
        for seed in range(seeds):
            train, test = train_test_split(frame, test_size=0.25, stratify=frame[target], random_state=seed)
            x, y = as_categories(train[inputs], levels), train[target]
            own = []
            with tempfile.TemporaryDirectory() as folder:
                for folds in (0, 5):
                    own.append(loss_of(ours(command, folder, train, test, target, folds), test[target]))
            for model in (lightgbm.LGBMClassifier(n_jobs=1, verbose=-1),
                          HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=seed),
                          HistGradientBoostingClassifier(categorical_features="from_dtype", early_stopping=True, random_state=seed)):
                model.fit(x, y)
                own.append(log_loss(test[target], model.predict_proba(as_categories(test[inputs], levels)), labels=model.classes_))
            losses.append(own)
        means = np.mean(losses, 0)
        rows.append(means)
        print(f"| {name}, {len(frame):,} rows | " + " | ".join(f"{v:.3f}" for v in means) + " |", flush=True)
    print("| mean | " + " | ".join(f"{v:.3f}" for v in np.mean(rows, 0)) + " |")


if __name__ == "__main__":
    main()

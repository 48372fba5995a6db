"""Makes the tables of the tabular benchmarks from a seed.

usage: make_tables.py FOLDER [SPAMBASE]

expression.csv  600 rows × 20,531 numbers, 5 classes: forty columns a class are shifted, the others are noise
expression.npz  the same as arrays x float32 [600, 20531] and y int
tall.csv        1,000,000 rows × 10 numbers, 2 classes
taller.csv      1,000,000 rows × 20 numbers, 2 classes, a third of the labels noise; taller.npz the same as arrays
mail.csv        4,601 rows × 57 columns, 2 classes: the file SPAMBASE (OpenML's), or without one numbers of that kind,
                mostly zeros with long tails, 4 % of the labels turned round
mail.json       XGBoost's model of it: 100 rounds of depth 6
"""

import os
import sys

import numpy as np
import pandas as pd
import xgboost


def expression(folder):
    rng = np.random.default_rng(7)
    x = rng.gamma(2.0, 2.0, (600, 20531)).astype(np.float32)
    y = rng.integers(0, 5, 600)
    for label in range(5):
        columns = rng.choice(20531, 40, replace=False)
        x[np.ix_(y == label, columns)] *= 1.8
    x = np.round(x, 4)
    np.savez(os.path.join(folder, "expression.npz"), x=x, y=y)
    frame = pd.DataFrame(x, columns=[f"gene_{i}" for i in range(x.shape[1])])
    frame["type"] = np.array(["A", "B", "C", "D", "E"])[y]
    frame.to_csv(os.path.join(folder, "expression.csv"), index=False, float_format="%.4f")


def tall(folder):
    rng = np.random.default_rng(9)
    x = rng.random((1_000_000, 10)).astype(np.float32)
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(10)])
    frame["y"] = (x[:, 0] + x[:, 1] * x[:, 2] > 0.8).astype(int)
    frame.to_csv(os.path.join(folder, "tall.csv"), index=False, float_format="%.5f")


def taller(folder):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((1_000_000, 20)).astype(np.float32)
    x[:, 10:15] = np.round(x[:, 10:15], 1)
    x = np.round(x, 5)
    score = x[:, 0] + x[:, 1] * x[:, 2] + np.sin(2 * x[:, 3]) + 0.5 * (x[:, 4] > 0.3) * x[:, 5]
    score += 0.3 * x[:, 11] - 0.4 * np.abs(x[:, 10])
    y = (score + rng.logistic(size=len(x)) > 0).astype(int)
    np.savez(os.path.join(folder, "taller.npz"), x=x, y=y)
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(20)])
    frame["y"] = y
    frame.to_csv(os.path.join(folder, "taller.csv"), index=False, float_format="%.5f")


def mail(folder, source):
    if source:
        frame = pd.read_csv(source)
        x, y = frame.iloc[:, :-1], (frame.iloc[:, -1] == 1).astype(int)
    else:
        x, y = drawn_mail()
    x.columns = [f"word_{i}" for i in range(57)]
    model = xgboost.XGBClassifier(n_estimators=100, max_depth=6, tree_method="hist", n_jobs=2)
    model.fit(x, y)
    model.save_model(os.path.join(folder, "mail.json"))
    x.assign(spam=np.where(y == 1, "yes", "no")).to_csv(os.path.join(folder, "mail.csv"), index=False)


def drawn_mail():
    rng = np.random.default_rng(8)
    rows = 4601
    x = np.where(rng.random((rows, 57)) < 0.75, 0.0, rng.exponential(1.0, (rows, 57)))
    score = 2.5 * (x[:, 0] > 0) + 1.5 * (x[:, 1] > 0.4) - 2.0 * (x[:, 2] > 0.2) + x[:, 3] - 1.5 * x[:, 4]
    y = (score > 0.4).astype(int) ^ (rng.random(rows) < 0.04)
    return pd.DataFrame(np.round(x, 3)), y


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    expression(sys.argv[1])
    tall(sys.argv[1])
    taller(sys.argv[1])
    mail(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)

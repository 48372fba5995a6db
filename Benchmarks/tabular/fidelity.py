"""How closely does a surrogate on 25 features follow extra trees, beside one depth-8 tree of scikit-learn?

usage: fidelity.py HEADLAMP FOLDER [SEEDS]

FOLDER holds spambase.csv, khan_63x2308.csv.gz, golub_72x7129.csv.gz, gordon_181x12533.csv.gz and
symptom_precaution_training.csv (de-duplicated here). For each seed a fifth of the rows is held out; 300 extra trees are
fitted to the others; the surrogate sees their out-of-bag probabilities and the 25 features that matter most to them.
Ours by `headlamp explain --top 25`, theirs by scikit-learn on splits of its own. Figures are means over seeds ± one
standard error of that mean: label agreement and R² of the probabilities on the held-out rows.
"""

import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from real_tables import frames
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeRegressor

warnings.filterwarnings("ignore")
TABLES = ["spambase.csv", "khan_63x2308.csv.gz", "golub_72x7129.csv.gz", "gordon_181x12533.csv.gz",
          "symptom_precaution_training.csv"]


def ours(headlamp, path, seed, folder):
    subprocess.run([headlamp, "explain", path, "--top", "25", "--black-box", "extra-trees", "--hold", "0.2",
                    "--seed", str(seed), "--output", folder], check=True, capture_output=True)
    with open(os.path.join(folder, "summary.json")) as file:
        surrogate = json.load(file)["surrogate"]
    return surrogate["label_agreement"]["value"], surrogate["r2"]["value"]


def theirs(x, y, seed):
    train, held = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=seed)
    model = ExtraTreesClassifier(300, bootstrap=True, oob_score=True, n_jobs=2, random_state=seed)
    model.fit(x[train], y[train])
    top = np.argsort(-model.feature_importances_)[:25]
    tree = DecisionTreeRegressor(max_depth=8, random_state=seed)
    tree.fit(x[train][:, top], np.nan_to_num(model.oob_decision_function_))
    black, said = model.predict_proba(x[held]), tree.predict(x[held][:, top]).reshape(len(held), -1)
    total = ((black - black.mean(0)) ** 2).sum()
    return (black.argmax(1) == said.argmax(1)).mean(), 1 - ((black - said) ** 2).sum() / total


def text(results):
    error = np.std(results, axis=0, ddof=1) / np.sqrt(len(results))
    means = np.mean(results, axis=0)
    return f"{means[0]:.3f} ± {error[0]:.3f} / {means[1]:.3f} ± {error[1]:.3f}"


def main():
    headlamp, source = sys.argv[1:3]
    seeds = range(int(sys.argv[3]) if len(sys.argv) > 3 else 20)
    print(f"label agreement / R², {len(seeds)} seeds\n\n| table | headlamp | one depth-8 tree |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, frame, path in frames(source, folder, TABLES):
            x = frame.iloc[:, :-1].to_numpy(np.float32)
            y = frame.iloc[:, -1].astype("category").cat.codes.to_numpy()
            mine = [ours(headlamp, path, seed, os.path.join(folder, "out")) for seed in seeds]
            peers = [theirs(x, y, seed) for seed in seeds]
            print(f"| {name} | {text(mine)} | {text(peers)} |", flush=True)


if __name__ == "__main__":
    main()

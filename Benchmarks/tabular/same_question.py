"""One question to several explainers: why did this model predict that of this row?

usage: same_question.py FOLDER HEADLAMP

Makes a table whose rule is known (1,500 rows; `thrives` if light > 3.5, soil is not clay and water > 26, one label in
twenty turned round), fits one XGBoost model to two thirds of it, and asks Headlamp, shap, DiCE, alibi, dalex and
InterpretML about the same held-out row. Prints, for each, what it answers, the seconds it took without imports and
reading, and for rules and counterfactuals how far they hold on rows that none of them has seen. A package that is
missing or fails is named with its error.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd
import xgboost

warnings.filterwarnings("ignore")
NAMES = ["light", "water", "clay", "warmth", "depth", "nitrogen", "iron", "age"]


def table(seed, rows):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "light": rng.gamma(4, 1.2, rows).round(2), "water": rng.normal(30, 10, rows).round(1),
        "clay": rng.integers(0, 2, rows), "warmth": rng.normal(18, 4, rows).round(1),
        "depth": rng.exponential(5, rows).round(2), "nitrogen": rng.normal(5, 1, rows).round(2),
        "iron": rng.gamma(2, 2, rows).round(2), "age": rng.integers(1, 40, rows),
    })
    truth = (frame.light > 3.5) & (frame.clay == 0) & (frame.water > 26)
    frame["thrives"] = (truth ^ (rng.random(rows) < 0.05)).astype(int)
    return frame


def quality(mask, said):
    return f"covers {mask.mean():.0%} of unseen rows, right in {said[mask].mean():.0%}" if mask.any() else "covers none"


class Question:
    """The table, the model and the row."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "seedlings.csv")
        self.model_path = os.path.join(folder, "seedlings.json")
        frame = table(1, 1500)
        frame.to_csv(self.path, index=False)
        self.train, self.unseen = frame.iloc[:1000], table(2, 5000)
        self.model = xgboost.XGBClassifier(n_estimators=60, max_depth=4, n_jobs=2)
        self.model.fit(self.train[NAMES], self.train.thrives)
        self.model.save_model(self.model_path)
        said = self.model.predict(frame[NAMES])
        rows = np.flatnonzero((frame.index >= 1000) & (said == 0) & (frame.clay == 0) & (frame.light > 4) & (frame.water < 24))
        self.number = int(rows[0])
        self.row = frame.loc[[self.number], NAMES]
        self.says = self.model.predict(self.unseen[NAMES])

    def predict(self, values):
        return self.model.predict_proba(pd.DataFrame(np.asarray(values), columns=NAMES))


def headlamp(question, command):
    out = os.path.join(os.path.dirname(question.path), "headlamp")
    started = time.perf_counter()
    text = subprocess.run(
        [command, "explain", question.path, "--target", "thrives", "--black-box", question.model_path, "--row",
         str(question.number + 1), "--output", out, "--no-report"], capture_output=True, text=True, check=True).stdout
    seconds = time.perf_counter() - started
    part = text[text.index(f"row {question.number + 1}"):]
    return seconds, [line.strip() for line in part.splitlines() if line.strip() and "█" not in line and "░" not in line][:9] + [
        line.strip() for line in part.splitlines() if "█" in line or "░" in line][:3]


def shap_package(question, _):
    import shap

    started = time.perf_counter()
    values = shap.TreeExplainer(question.model).shap_values(question.row)[0]
    seconds = time.perf_counter() - started
    order = np.argsort(-np.abs(values))[:3]
    return seconds, ["contributions in log-odds: " + ", ".join(f"{NAMES[i]} {values[i]:+.3f}" for i in order)]


def dice(question, _):
    import dice_ml

    data = dice_ml.Data(
        dataframe=question.train, continuous_features=NAMES, outcome_name="thrives")
    explainer = dice_ml.Dice(data, dice_ml.Model(model=question.model, backend="sklearn"), method="random")
    started = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        found = explainer.generate_counterfactuals(question.row, total_CFs=4, desired_class="opposite", random_seed=0)
    seconds = time.perf_counter() - started
    frame = found.cf_examples_list[0].final_cfs_df
    lines = []
    for _, other in frame.iterrows():
        changed = [n for n in NAMES if float(other[n]) != float(question.row[n].iloc[0])]
        flips = question.predict([[float(other[n]) for n in NAMES]])[0, 1] > 0.5
        lines.append("counterfactual: " + ", ".join(f"{n} {other[n]}" for n in changed) + ("" if flips else " (does not flip the model)"))
    return seconds, lines


def alibi_package(question, _):
    from alibi.explainers import AnchorTabular

    explainer = AnchorTabular(lambda values: question.predict(values).argmax(1), NAMES, seed=0)
    explainer.fit(question.train[NAMES].to_numpy(float))
    started = time.perf_counter()
    found = explainer.explain(question.row.to_numpy(float)[0], threshold=0.95)
    seconds = time.perf_counter() - started
    mask = pd.Series(True, index=question.unseen.index)
    for condition in found.anchor:
        mask &= question.unseen.eval(condition.replace("=<", "<="))
    said = question.says == question.predict(question.row).argmax()
    return seconds, [f"anchor: {' and '.join(found.anchor)} (its own estimate: precision {found.precision:.2f})",
                     quality(mask.to_numpy(), said)]


def dalex_package(question, _):
    import dalex

    explainer = dalex.Explainer(
        question.model, question.train[NAMES], question.train.thrives, verbose=False,
        predict_function=lambda model, rows: model.predict_proba(rows)[:, 1])
    started = time.perf_counter()
    found = explainer.predict_parts(question.row, type="break_down").result
    seconds = time.perf_counter() - started
    inner = found[~found.variable_name.isin(["intercept", ""])].assign(size=lambda f: f.contribution.abs())
    top = inner.sort_values("size", ascending=False).head(3)
    return seconds, ["break-down in probability: " + ", ".join(f"{v} {c:+.3f}" for v, c in zip(top.variable, top.contribution))]


def interpret_package(question, _):
    from interpret.blackbox import LimeTabular

    started = time.perf_counter()
    found = LimeTabular(question.predict, question.train[NAMES].to_numpy(float), feature_names=NAMES, random_state=0)
    local = found.explain_local(question.row.to_numpy(float), np.array([0]))
    seconds = time.perf_counter() - started
    data = local.data(0)
    order = np.argsort(-np.abs(data["scores"]))[:3]
    return seconds, ["LIME weights: " + ", ".join(f"{data['names'][i]} {data['scores'][i]:+.3f}" for i in order)]


WORKS = [("Headlamp", headlamp), ("shap", shap_package), ("DiCE", dice), ("alibi", alibi_package), ("dalex", dalex_package),
         ("InterpretML", interpret_package)]

if __name__ == "__main__":
    folder, command = sys.argv[1], os.path.abspath(sys.argv[2])
    os.makedirs(folder, exist_ok=True)
    question = Question(folder)
    cells = ", ".join(f"{n} {question.row[n].iloc[0]}" for n in NAMES)
    print(f"row {question.number + 1}: {cells}; the model says {question.predict(question.row)[0, 1]:.3f} for thrives")
    for name, work in WORKS:
        try:
            seconds, lines = work(question, command)
            print(f"\n{name} ({seconds:.2f} s)")
            print("\n".join("  " + line for line in lines))
        except Exception as error:  # a package's failure is a result of its own
            print(f"\n{name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")

"""The same work as `headlamp`'s, done with the packages people use for it, for timing side by side.

usage: peer.py WORK FOLDER

WORK is one of
  read             expression.csv with pandas
  extra-trees      scikit-learn, 100 trees, 2 jobs
  tall-xgboost     XGBoost, 100 rounds of depth 6 on taller.npz, 2 threads
  tall-lightgbm    LightGBM, the same with 64 leaves and XGBoost's learning rate
  boosted          XGBoost, 25 rounds of depth 6, 32 bins, 2 threads
  shap             exact SHAP values of mail.json's trees for 4,000 rows with the shap package, which hands XGBoost's
                   models to XGBoost's own code
  shap-own         the same with the shap package's own code
  anchor           one rule for a row of mail.csv with anchor-exp (Ribeiro et al. 2018), precision 0.95
  counterfactuals  four counterfactuals for a row of mail.csv with DiCE's random search

FOLDER is what make_tables.py wrote. Prints one JSON line: the seconds of the work itself, without imports, reading
(but for `read`) or fitting the model that is explained.
"""

import contextlib
import io
import json
import os
import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def arrays(folder):
    loaded = np.load(os.path.join(folder, "expression.npz"))
    return loaded["x"], loaded["y"]


def mail(folder):
    import xgboost

    frame = pd.read_csv(os.path.join(folder, "mail.csv"))
    model = xgboost.XGBClassifier()
    model.load_model(os.path.join(folder, "mail.json"))
    return frame.drop(columns="spam"), (frame["spam"] == "yes").astype(int), model


def read(folder):
    started = time.perf_counter()
    frame = pd.read_csv(os.path.join(folder, "expression.csv"))
    frame.iloc[:, :-1].to_numpy(np.float32)
    return time.perf_counter() - started


def extra_trees(folder):
    from sklearn.ensemble import ExtraTreesClassifier

    x, y = arrays(folder)
    started = time.perf_counter()
    ExtraTreesClassifier(100, n_jobs=2, random_state=0).fit(x, y)
    return time.perf_counter() - started


def boosted(folder):
    import xgboost

    x, y = arrays(folder)
    started = time.perf_counter()
    xgboost.XGBClassifier(n_estimators=25, max_depth=6, max_bin=32, tree_method="hist", n_jobs=2).fit(x, y)
    return time.perf_counter() - started


def taller(folder):
    loaded = np.load(os.path.join(folder, "taller.npz"))
    return loaded["x"], loaded["y"]


def tall_xgboost(folder):
    import xgboost

    x, y = taller(folder)
    started = time.perf_counter()
    xgboost.XGBClassifier(n_estimators=100, max_depth=6, tree_method="hist", n_jobs=2).fit(x, y)
    return time.perf_counter() - started


def tall_lightgbm(folder):
    import lightgbm

    x, y = taller(folder)
    model = lightgbm.LGBMClassifier(
        n_estimators=100, max_depth=6, num_leaves=64, learning_rate=0.3, n_jobs=2, verbose=-1)
    started = time.perf_counter()
    model.fit(x, y)
    return time.perf_counter() - started


def shap_values(folder, own=False):
    import shap

    x, _, model = mail(folder)
    explainer = shap.TreeExplainer(model)
    if own:
        explainer.model.model_type = "internal"
    part = x.iloc[:4000]
    started = time.perf_counter()
    explainer.shap_values(part, check_additivity=False)
    return time.perf_counter() - started


def anchor(folder):
    from anchor import anchor_tabular

    x, _, model = mail(folder)
    data = x.to_numpy()
    explainer = anchor_tabular.AnchorTabularExplainer(["no", "yes"], list(x.columns), data, {})
    np.random.seed(0)
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        found = explainer.explain_instance(data[11], lambda rows: model.predict(rows), threshold=0.95)
    seconds = time.perf_counter() - started
    print(" and ".join(found.names()), found.precision(), found.coverage(), file=sys.stderr)
    return seconds


def counterfactuals(folder):
    import dice_ml

    x, y, model = mail(folder)
    frame = x.assign(spam=y)
    data = dice_ml.Data(dataframe=frame, continuous_features=list(x.columns), outcome_name="spam")
    explainer = dice_ml.Dice(data, dice_ml.Model(model=model, backend="sklearn"), method="random")
    started = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        explainer.generate_counterfactuals(x.iloc[[11]], total_CFs=4, desired_class="opposite", random_seed=0)
    return time.perf_counter() - started


WORKS = {
    "read": read, "extra-trees": extra_trees, "boosted": boosted, "tall-xgboost": tall_xgboost, "tall-lightgbm": tall_lightgbm, "shap": shap_values,
    "shap-own": lambda folder: shap_values(folder, own=True), "anchor": anchor, "counterfactuals": counterfactuals,
}

if __name__ == "__main__":
    print(json.dumps({"seconds": WORKS[sys.argv[1]](sys.argv[2])}))

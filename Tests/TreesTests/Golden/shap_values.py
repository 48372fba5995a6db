# scikit-learn 1.9.1, xgboost 3.2.0, shap 0.51.0, numpy: see requirements of the environment that ran this.
# Writes shap.json beside this file: models in the project's own tree format, rows, predictions and SHAP values.
import json
import pathlib

import numpy as np
import shap
import xgboost as xgb
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor

rng = np.random.default_rng(3)
x = rng.normal(size=(300, 6)).astype(np.float32)
labels = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(int) + (x[:, 3] > 0.7)
amount = x[:, 0] * 3 + np.abs(x[:, 1]) + 0.1 * rng.normal(size=300)
rows = 12


def at_most(thresholds):
    """The largest float32 at or below each double."""
    near = thresholds.astype(np.float32)
    return np.where(near.astype(np.float64) > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def ensemble(trees, outputs, base, scale, link):
    return {
        "schema_version": 1,
        "feature_names": [f"x{i}" for i in range(6)],
        "feature_kinds": [{"numeric": {}}] * 6,
        "output_names": outputs,
        "base_scores": base,
        "scale": scale,
        "link": link,
        "trees": trees,
    }


def from_sklearn(tree, output=None):
    t = tree.tree_
    leaf = t.children_left < 0
    values = t.value[:, 0, :]
    width = values.shape[1]
    order = np.cumsum(leaf) - 1
    return {
        "features": np.where(leaf, -1, t.feature).tolist(),
        "thresholds": [float(v) for v in np.where(leaf, 0, at_most(t.threshold))],
        "left": np.where(leaf, order * width, t.children_left).tolist(),
        "right": np.where(leaf, -1, t.children_right).tolist(),
        "missing_goes_left": [0] * t.node_count,
        "covers": t.weighted_n_node_samples.tolist(),
        "leaf_values": values[leaf].ravel().tolist(),
        **({} if output is None else {"output": output}),
    }


def from_xgboost(tree):
    left = np.array(tree["left_children"])
    leaf = left < 0
    order = np.cumsum(leaf) - 1
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    return {
        "features": np.where(leaf, -1, tree["split_indices"]).tolist(),
        "thresholds": [float(v) for v in np.where(leaf, 0, np.nextafter(conditions, np.float32(-np.inf)))],
        "left": np.where(leaf, order, left).tolist(),
        "right": np.where(leaf, -1, tree["right_children"]).tolist(),
        "missing_goes_left": [int(v) for v in tree["default_left"]],
        "covers": [float(v) for v in tree["sum_hessian"]],
        "leaf_values": [float(v) for v in conditions[leaf]],
        "output": 0,
    }


def case(name, model, data, values, predictions):
    values = np.asarray(values)
    if values.ndim == 2:
        values = values[:, :, None]
    cells = [[None if np.isnan(v) else float(v) for v in row] for row in data]
    return {"name": name, "model": model, "rows": cells, "shap": values.tolist(), "predictions": predictions}


forest = ExtraTreesClassifier(8, random_state=0, min_samples_leaf=2).fit(x, labels)
regressor = RandomForestRegressor(5, random_state=0, max_depth=7).fit(x, amount)
gaps = x.copy()
gaps[rng.random(gaps.shape) < 0.2] = np.nan
booster = xgb.XGBClassifier(n_estimators=12, max_depth=4, base_score=0.5).fit(gaps, labels > 0)
raw = json.loads(booster.get_booster().save_raw("json"))["learner"]
margins = booster.get_booster().predict(xgb.DMatrix(gaps[:rows]), pred_contribs=True)

cases = [
    case(
        "forest classifier",
        ensemble([from_sklearn(t) for t in forest.estimators_], ["0", "1", "2"], [0.0] * 3, 1 / 8, {"identity": {}}),
        x[:rows],
        shap.TreeExplainer(forest).shap_values(x[:rows]),
        forest.predict_proba(x[:rows]).tolist(),
    ),
    case(
        "forest regressor",
        ensemble([from_sklearn(t, 0) for t in regressor.estimators_], ["y"], [0.0], 1 / 5, {"identity": {}}),
        x[:rows],
        shap.TreeExplainer(regressor).shap_values(x[:rows]),
        regressor.predict(x[:rows])[:, None].tolist(),
    ),
    case(
        "boosted, missing cells",
        ensemble(
            [from_xgboost(t) for t in raw["gradient_booster"]["model"]["trees"]],
            ["0", "1"],
            [0.0],
            1.0,
            {"logistic": {"slope": 1.0}},
        ),
        gaps[:rows],
        shap.TreeExplainer(booster).shap_values(gaps[:rows]),
        booster.predict_proba(gaps[:rows]).tolist(),
    ),
]
# XGBoost's own contributions, in single precision, agree with shap's.
assert np.abs(np.asarray(cases[2]["shap"])[:, :, 0] - margins[:, :-1]).max() < 1e-5
path = pathlib.Path(__file__).with_name("shap.json")
path.write_text(json.dumps(cases, separators=(",", ":")))
print(path.stat().st_size)

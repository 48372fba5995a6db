# Python 3.11, scikit-learn 1.9.1, xgboost 3.2.0, numpy 2.4.6
# Writes permutation.json: models, rows, the shuffles that scikit-learn drew, and its permutation importances.
import json
import pathlib

import numpy as np
import sklearn
import xgboost as xgb
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor
from sklearn.inspection import permutation_importance

folder = pathlib.Path(__file__).parent
rng = np.random.default_rng(11)
rows, features, repeats = 150, 6, 4


class Watched(BaseEstimator):
    """A model that is also given the row's number, in a last column: shuffled like any other, it tells the shuffle."""

    def __init__(self, score):
        self.given, self.seen = score, []

    def fit(self, x, y):
        return self

    def score(self, x, y):
        order = x[:, -1].astype(int)
        if (order != np.arange(len(x))).any():
            self.seen.append(order.tolist())
        return self.given(x[:, :-1], y)


def at_most(thresholds):
    """The largest float32 at or below each double."""
    near = thresholds.astype(np.float32)
    return np.where(near.astype(np.float64) > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def trees_of(model, outputs, width):
    trees = []
    for tree in (estimator.tree_ for estimator in model.estimators_):
        leaf = tree.children_left < 0
        order = np.cumsum(leaf) - 1
        trees.append(
            {
                "features": np.where(leaf, -1, tree.feature).tolist(),
                "thresholds": [float(v) for v in np.where(leaf, 0, at_most(tree.threshold))],
                "left": np.where(leaf, order * width, tree.children_left).tolist(),
                "right": np.where(leaf, -1, tree.children_right).tolist(),
                "missing_goes_left": [0] * tree.node_count,
                "covers": tree.weighted_n_node_samples.tolist(),
                "leaf_values": tree.value[:, 0, :][leaf].ravel().tolist(),
                **({"output": 0} if width == 1 else {}),
            }
        )
    return {
        "schema_version": 1,
        "feature_names": [f"x{i}" for i in range(features)],
        "feature_kinds": [{"numeric": {}}] * features,
        "output_names": outputs,
        "base_scores": [0.0] * width,
        "scale": 1 / len(trees),
        "link": {"identity": {}},
        "trees": trees,
    }


def case(name, x, y, score, **more):
    watched = Watched(score)
    numbered = np.hstack([x.astype(np.float64), np.arange(len(x))[:, None]])
    result = permutation_importance(watched, numbered, y, n_repeats=repeats, random_state=5)
    assert len(watched.seen) == repeats
    return {
        "name": name,
        "rows": [[None if np.isnan(v) else float(v) for v in row] for row in x],
        "truth": np.asarray(y, dtype=float).tolist(),
        "permutations": watched.seen,
        "importances": result.importances[:-1].tolist(),
        "means": result.importances_mean[:-1].tolist(),
        **more,
    }


x = rng.normal(size=(rows, features)).astype(np.float32)
labels = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(int) + (x[:, 3] > 0.7)
amount = (x[:, 0] * 3 + np.abs(x[:, 1]) + 0.1 * rng.normal(size=rows)).astype(np.float32)
half = rows // 2
forest = ExtraTreesClassifier(7, max_depth=6, random_state=0).fit(x[:half], labels[:half])
regressor = RandomForestRegressor(6, max_depth=5, random_state=0).fit(x[:half], amount[:half])
gaps = x.copy()
gaps[rng.random(gaps.shape) < 0.15] = np.nan
booster = xgb.XGBClassifier()
booster.load_model(folder / "imports" / "xgboost-3.2-binary.json")
# The imported model has rules of its own: the truth is its answer, with every fifth one turned round.
named = gaps * 2
answers = booster.predict(named)
answers[::5] = 1 - answers[::5]

cases = [
    case("forest", x, labels, lambda x, y: forest.score(x.astype(np.float32), y),
         model=trees_of(forest, ["0", "1", "2"], 3)),
    case("regression forest", x, amount, lambda x, y: regressor.score(x.astype(np.float32), y),
         model=trees_of(regressor, ["y"], 1)),
    case("boosted", named, answers, lambda x, y: booster.score(x.astype(np.float32), y),
         file="xgboost-3.2-binary.json"),
]
for one in cases:
    print(one["name"], np.round(one["means"], 4))
path = folder / "permutation.json"
path.write_text(json.dumps(cases, separators=(",", ":")))
print(path.stat().st_size, sklearn.__version__, xgb.__version__, np.__version__)

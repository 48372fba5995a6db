# Models of other libraries and what they predict, for ImportTests.swift.
# Run twice, once per XGBoost version:
#   xgboost 3.2.0, lightgbm 4.7.0, scikit-learn 1.9.1, skl2onnx 1.20.0, onnxruntime 1.32.0, numpy 2.4.6, pandas 3.1.1
#   xgboost 1.7.6 (numpy 1.26, scikit-learn, pandas): only writes the xgboost-1.7 models
# Writes imports/<model>.<json|ubj|txt|onnx> and imports/expected-<library>.json beside this file.
import json, os, sys
import numpy as np
import pandas as pd
import xgboost as xgb

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "imports")
os.makedirs(here, exist_ok=True)
old = xgb.__version__.startswith("1.")
version = ".".join(xgb.__version__.split(".")[:2])
rng = np.random.default_rng(7)

names = ["age", "mass", "dose", "rate", "grade", "count"]
categories = ["amber", "blue", "cyan", "dun"]


def table(rows):
    x = rng.normal(size=(rows, 6)).astype(np.float32)
    x[:, 4] = rng.integers(0, 4, rows)
    x[:, 5] = rng.poisson(1.0, rows)
    return x


def labels(x):
    score = np.nan_to_num(x[:, 0]) + 0.7 * np.nan_to_num(x[:, 1]) ** 2 - 2 * np.isin(x[:, 4], [1, 3]) + 0.3 * x[:, 5]
    return score, (score > 0.5).astype(int), np.digitize(score, [0.0, 1.0])


dense = table(300)
score, binary, multi = labels(dense)
sparse = dense.copy()
sparse[rng.random((300, 6)) < 0.1] = np.nan
sparse[:, 4] = dense[:, 4]
rows = table(24)
rows[3, 0] = rows[7, 1] = rows[9, 2] = rows[9, 3] = np.nan
rows[11] = 0
plain = table(24)


def frame(x):
    f = pd.DataFrame(x, columns=names)
    f["grade"] = pd.Categorical.from_codes(x[:, 4].astype(int), categories)
    return f


def cells(x):
    return [[None if np.isnan(v) else float(v) for v in row] for row in np.asarray(x, np.float32)]


expected = {}


def note(name, predictions):
    predictions = np.asarray(predictions, np.float64)
    expected[name] = predictions.reshape(len(predictions), -1).tolist()


def binary_columns(p):
    return np.stack([1 - p, p], 1)


# XGBoost ------------------------------------------------------------------------------------------------------------
def fit_xgb(name, params, y, x=sparse, rounds=5, columns=None, forms=("json",), **extra):
    data = xgb.DMatrix(x, y, feature_names=columns, **extra)
    model = xgb.train({"max_depth": 3, "nthread": 1, "seed": 1, **params}, data, rounds)
    for form in forms:
        model.save_model(f"{here}/xgboost-{version}-{name}.{form}")
    test = xgb.DMatrix(frame(rows) if extra else rows, feature_names=columns, **extra)
    return model, model.predict(test)


both = ("json", "ubj")
_, p = fit_xgb("binary", {"objective": "binary:logistic"}, binary, columns=names, forms=both)
note(f"xgboost-{version}-binary", binary_columns(p))
_, p = fit_xgb("multi", {"objective": "multi:softprob", "num_class": 3}, multi, forms=both)
note(f"xgboost-{version}-multi", p)
_, p = fit_xgb("regression", {"objective": "reg:squarederror"}, 5 + score, forms=both)
note(f"xgboost-{version}-regression", p)
_, p = fit_xgb("base-score", {"objective": "binary:logistic", "base_score": 0.2}, binary)
note(f"xgboost-{version}-base-score", binary_columns(p))
_, p = fit_xgb("poisson", {"objective": "count:poisson"}, dense[:, 5])
note(f"xgboost-{version}-poisson", p)
_, p = fit_xgb("gamma", {"objective": "reg:gamma"}, np.exp(score))
note(f"xgboost-{version}-gamma", p)
_, p = fit_xgb("dart", {"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.5}, binary)
note(f"xgboost-{version}-dart", binary_columns(p))
_, p = fit_xgb("forest", {"objective": "multi:softprob", "num_class": 3, "num_parallel_tree": 2, "subsample": 0.7}, multi, rounds=2)
note(f"xgboost-{version}-forest", p)
_, p = fit_xgb("pseudo-huber", {"objective": "reg:pseudohubererror"}, 2 + score)
note(f"xgboost-{version}-pseudo-huber", p)
_, p = fit_xgb(
    "categories", {"objective": "binary:logistic", "tree_method": "hist", "max_cat_to_onehot": 2}, binary,
    x=frame(dense), enable_categorical=True, forms=both)
note(f"xgboost-{version}-categories", binary_columns(p))
fit_xgb("linear", {"objective": "binary:logistic", "booster": "gblinear"}, binary)
if not old:
    fit_xgb("vector-leaves", {"objective": "multi:softprob", "num_class": 3, "tree_method": "hist", "multi_strategy": "multi_output_tree"}, multi, rounds=2)

if old:
    json.dump({"predictions": expected}, open(f"{here}/expected-xgboost-1.7.json", "w"))
    sys.exit()

# LightGBM -----------------------------------------------------------------------------------------------------------
import lightgbm as lgb


def fit_lgb(name, params, y, x=sparse, rounds=5, at=rows, **extra):
    data = lgb.Dataset(x, y, free_raw_data=False, **extra)
    model = lgb.train(
        {"num_leaves": 6, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1, "seed": 1, **params}, data, rounds)
    model.save_model(f"{here}/lightgbm-{name}.txt")
    return model.predict(at)


note("lightgbm-binary", binary_columns(fit_lgb("binary", {"objective": "binary", "sigmoid": 2.0}, binary, feature_name=names)))
note("lightgbm-multi", fit_lgb("multi", {"objective": "multiclass", "num_class": 3}, multi))
note("lightgbm-one-vs-all", fit_lgb("one-vs-all", {"objective": "multiclassova", "num_class": 3}, multi))
note("lightgbm-regression", fit_lgb("regression", {"objective": "regression"}, score))
note("lightgbm-poisson", fit_lgb("poisson", {"objective": "poisson"}, dense[:, 5]))
note("lightgbm-dart", binary_columns(fit_lgb("dart", {"objective": "binary", "boosting": "dart", "drop_rate": 0.5}, binary)))
note("lightgbm-forest", binary_columns(fit_lgb("forest", {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7}, binary)))
note("lightgbm-zero-missing", fit_lgb("zero-missing", {"objective": "regression", "zero_as_missing": True}, score))
note("lightgbm-no-missing", fit_lgb("no-missing", {"objective": "regression", "use_missing": False}, score))
note("lightgbm-categories", binary_columns(fit_lgb(
    "categories", {"objective": "binary", "min_data_per_group": 5, "cat_smooth": 1.0, "max_cat_to_onehot": 1}, binary,
    x=frame(dense), at=frame(rows), categorical_feature=["grade"])))
note("lightgbm-entropy", binary_columns(fit_lgb("entropy", {"objective": "cross_entropy"}, binary)))
note("lightgbm-one-leaf", binary_columns(fit_lgb("one-leaf", {"objective": "binary", "min_data_in_leaf": 400}, binary, rounds=2)))
fit_lgb("linear-leaves", {"objective": "regression", "linear_tree": True}, score, x=dense, rounds=1)
note("lightgbm-square-root", fit_lgb("square-root", {"objective": "regression", "reg_sqrt": True}, score, rounds=1))

# scikit-learn through ONNX ------------------------------------------------------------------------------------------
import onnx.helper
from skl2onnx import to_onnx
from sklearn.ensemble import (
    ExtraTreesClassifier, GradientBoostingClassifier, GradientBoostingRegressor, HistGradientBoostingClassifier,
    HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

# skl2onnx 1.20.0 hands NumPy integers to onnx 1.23, which wants plain ones.
make_attribute = onnx.helper.make_attribute


def make_plain_attribute(key, value, *rest, **more):
    if isinstance(value, list) and any(isinstance(v, np.integer) for v in value):
        value = [int(v) for v in value]
    return make_attribute(key, value, *rest, **more)


onnx.helper.make_attribute = make_plain_attribute

words = np.array(["low", "middle", "high"])[multi]


def fit_onnx(name, model, y, x=dense, at=plain, zipmap=True):
    model.fit(x, y)
    classifies = hasattr(model, "predict_proba")
    options = {id(model): {"zipmap": zipmap}} if classifies else None
    onnx = to_onnx(model, x[:1], options=options)
    open(f"{here}/onnx-{name}.onnx", "wb").write(onnx.SerializeToString())
    note(f"onnx-{name}", model.predict_proba(at) if classifies else model.predict(at))
    print(name, len(onnx.SerializeToString()), [n.op_type for n in onnx.graph.node])


small = {"n_estimators": 6, "max_depth": 4, "random_state": 1}
fit_onnx("forest", RandomForestClassifier(**small), words)
fit_onnx("forest-binary", RandomForestClassifier(**small), binary, zipmap=False)
fit_onnx("extra-trees", ExtraTreesClassifier(**small), words)
fit_onnx("tree", DecisionTreeClassifier(max_depth=4), multi)
fit_onnx("boosted-binary", GradientBoostingClassifier(**small), binary)
fit_onnx("boosted-multi", GradientBoostingClassifier(**small), words)
fit_onnx("hist-binary", HistGradientBoostingClassifier(max_iter=6, max_depth=3), binary, x=sparse, at=rows)
fit_onnx("hist-multi", HistGradientBoostingClassifier(max_iter=4, max_depth=3), words, x=sparse, at=rows)
fit_onnx("forest-regression", RandomForestRegressor(**small), score)
fit_onnx("boosted-regression", GradientBoostingRegressor(**small), score)
fit_onnx("hist-regression", HistGradientBoostingRegressor(max_iter=6, max_depth=3), score, x=sparse, at=rows)
fit_onnx("perceptron-binary", make_pipeline(StandardScaler(), MLPClassifier((8, 4), max_iter=60, random_state=1)), binary)
fit_onnx("perceptron-multi", make_pipeline(MinMaxScaler(), MLPClassifier((8,), activation="tanh", max_iter=60, random_state=1)), words)
fit_onnx("perceptron-regression", MLPRegressor(hidden_layer_sizes=(8,), activation="logistic", max_iter=60, random_state=1), score)
fit_onnx("logistic-binary", make_pipeline(StandardScaler(), LogisticRegression()), binary)
fit_onnx("logistic-multi", make_pipeline(Normalizer(), LogisticRegression()), words, zipmap=False)
fit_onnx("imputed-forest", make_pipeline(SimpleImputer(), StandardScaler(), RandomForestClassifier(**small)), words, x=sparse, at=rows)
fit_onnx("linear-regression", make_pipeline(StandardScaler(), LinearRegression()), score)

json.dump(
    {"names": names, "categories": categories, "rows": cells(rows), "plain": cells(plain), "predictions": expected},
    open(f"{here}/expected.json", "w"))

"""Models of many kinds on one table, and what their own libraries say of it: kinds/table.csv, kinds/<model> and
kinds/<model>.says.csv.

The table's columns are such that float32 merges or moves values: seconds since 1970 within a day, money in cents above
2^24, decimals at a threshold. Run three times, each under its own versions:

    python kinds.py table                                  # numpy 2.4, pandas 3.1
    python kinds.py old                                    # xgboost 1.0.2, lightgbm 2.2.3, numpy 1.23, pandas 1.5
    python kinds.py new                                    # xgboost 3.2.0, lightgbm 4.7.0, catboost 1.2.10,
                                                           # scikit-learn 1.8, skl2onnx 1.20, onnxruntime 1.32
"""
import json, sys, warnings
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
FOLDER = "kinds/"


def table():
    r = np.random.default_rng(7)
    n = 160
    t = pd.DataFrame({
        "a": r.normal(size=n).round(2),
        "seconds": 1_700_000_000 + r.integers(0, 400, n),
        "cents": (20_000_000 + r.integers(0, 600, n)) / 100,
        "grade": r.choice([10, 20, 30, 40], n),
        "colour": r.choice(["red", "green", "blue"], n),
        "count": r.integers(0, 30, n),
    })
    score = (t.seconds > 1_700_000_203) * 2.0 + (t.cents > 200_002.97) * 1.5 + t.a + (t.grade == 20) * 2
    t["y"] = (score + 0.2 * r.normal(size=n) > 2.2).astype(int)
    t["y3"] = np.where(score < 1.5, "low", np.where(score < 3, "mid", "high"))
    t["quantity"] = score.round(4)
    t.to_csv(FOLDER + "table.csv", index=False)


NUMBERS = ["a", "seconds", "cents", "grade", "count"]


def says(name, p):
    p = np.asarray(p, dtype=float)
    p = p.reshape(len(p), -1)
    if p.shape[1] == 1 and name in BINARY:
        p = np.hstack([1 - p, p])
    pd.DataFrame(p).to_csv(FOLDER + name + ".says.csv", index=False, header=[f"p{i}" for i in range(p.shape[1])])


BINARY = set()


def boosters(prefix, xgb, lgb):
    t = pd.read_csv(FOLDER + "table.csv")
    x = t[NUMBERS]
    d = xgb.DMatrix(x.astype(np.float32), t.y)
    for kind, params in dict(
        binary=dict(objective="binary:logistic", max_depth=3),
        dart=dict(objective="binary:logistic", max_depth=3, booster="dart", rate_drop=0.5, seed=1),
    ).items():
        name = f"{prefix}-xgboost-{kind}.json"
        b = xgb.train(params, d, 12)
        b.save_model(FOLDER + name)
        BINARY.add(name)
        says(name, b.predict(d, ntree_limit=12) if prefix == "old" else b.predict(d))
    for kind, params in dict(binary=dict(objective="binary"), regression=dict(objective="regression")).items():
        name = f"{prefix}-lightgbm-{kind}.txt"
        y = t.y if kind == "binary" else t.quantity
        b = lgb.train({**params, "num_leaves": 8, "min_data_in_leaf": 3, "verbosity": -1}, lgb.Dataset(x, y), 15)
        b.save_model(FOLDER + name)
        if kind == "binary":
            BINARY.add(name)
        says(name, b.predict(x))
    return t, x, d


def old():
    import lightgbm, xgboost
    boosters("old", xgboost, lightgbm)


def new():
    import catboost, lightgbm, xgboost
    t, x, d = boosters("new", xgboost, lightgbm)
    codes = {"low": 0, "mid": 1, "high": 2}
    m = xgboost.XGBClassifier(n_estimators=8, max_depth=3, multi_strategy="multi_output_tree").fit(x, t.y3.map(codes))
    m.save_model(FOLDER + "new-xgboost-vector-leaves.json")
    says("new-xgboost-vector-leaves.json", m.predict_proba(x))
    for kind, params in dict(
        linear=dict(objective="multi:softprob", num_class=3, booster="gblinear"),
        hinge=dict(objective="binary:hinge", max_depth=3),
        poisson=dict(objective="count:poisson", max_depth=3),
    ).items():
        name = f"new-xgboost-{kind}.json"
        small = xgboost.DMatrix(x[["a", "grade", "count"]].astype(np.float32),
                                t.y3.map(codes) if kind == "linear" else t["count"] if kind == "poisson" else t.y)
        b = xgboost.train(params, small, 10)
        b.save_model(FOLDER + name)
        if kind == "hinge":
            BINARY.add(name)
        says(name, b.predict(small))
    c = x.assign(grade=x.grade.astype("category"), colour=t.colour.astype("category"))
    m = xgboost.XGBClassifier(n_estimators=10, max_depth=3, enable_categorical=True, max_cat_to_onehot=1).fit(c, t.y)
    m.save_model(FOLDER + "new-xgboost-categories.json")
    says("new-xgboost-categories.json", m.predict_proba(c))
    m = xgboost.XGBClassifier(n_estimators=40, max_depth=4, early_stopping_rounds=3, learning_rate=0.6)
    m.fit(x[:100], t.y[:100], eval_set=[(x[100:], t.y[100:])], verbose=False)
    m.save_model(FOLDER + "new-xgboost-early.json")
    says("new-xgboost-early.json", m.predict_proba(x))
    b = lightgbm.train({"objective": "regression", "linear_tree": True, "num_leaves": 6, "verbosity": -1},
                       lightgbm.Dataset(x[["a", "grade", "count"]], t.quantity), 10)
    b.save_model(FOLDER + "new-lightgbm-linear-leaves.txt")
    says("new-lightgbm-linear-leaves.txt", b.predict(x[["a", "grade", "count"]]))
    for kind, m, y in [("binary", catboost.CatBoostClassifier(iterations=10, depth=4, verbose=0), t.y),
                       ("multi", catboost.CatBoostClassifier(iterations=10, depth=3, verbose=0), t.y3),
                       ("regression", catboost.CatBoostRegressor(iterations=10, depth=4, verbose=0), t.quantity)]:
        m.fit(x[["a", "grade", "count"]], y)
        name = f"new-catboost-{kind}.json"
        m.save_model(FOLDER + name, format="json")
        says(name, m.predict_proba(x[["a", "grade", "count"]]) if kind != "regression"
             else m.predict(x[["a", "grade", "count"]]))
    pipelines(t, x)


def pipelines(t, x):
    import onnxruntime
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import ColumnTransformer
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
    from sklearn.ensemble import (AdaBoostClassifier, BaggingClassifier, GradientBoostingClassifier, StackingClassifier)
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    few = ["a", "grade", "count"]

    def write(name, model, types, columns):
        onnx = to_onnx(model, initial_types=types, options={"zipmap": False})
        with open(FOLDER + name, "wb") as f:
            f.write(onnx.SerializeToString())
        session = onnxruntime.InferenceSession(onnx.SerializeToString())
        feed = {}
        for i in session.get_inputs():
            cells = t[columns].values if len(types) == 1 else t[[i.name]].values
            kind = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}.get(i.type)
            feed[i.name] = cells.astype(str).astype(object) if kind is None else cells.astype(kind)
        says(name, session.run(None, feed)[-1])

    def transformer(*last):
        return make_pipeline(ColumnTransformer([
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["a", "count"]),
            ("words", OneHotEncoder(handle_unknown="ignore"), ["colour"])]), *last)

    types = [("a", FloatTensorType([None, 1])), ("count", Int64TensorType([None, 1])),
             ("colour", StringTensorType([None, 1]))]
    mixed = ["a", "count", "colour"]
    write("sklearn-columns-logistic.onnx", transformer(LogisticRegression()).fit(t[mixed], t.y3), types, mixed)
    ordinal = make_pipeline(ColumnTransformer([("numbers", "passthrough", ["a", "count"]),
                                               ("words", OrdinalEncoder(), ["colour"])]),
                            GradientBoostingClassifier(n_estimators=5))
    write("sklearn-ordinal-boosting.onnx", ordinal.fit(t[mixed], t.y3), types, mixed)
    floats = [("X", FloatTensorType([None, 3]))]
    for name, m in dict(
        bayes=GaussianNB(), vectors=SVC(probability=True, random_state=0), neighbours=KNeighborsClassifier(),
        adaboost=AdaBoostClassifier(n_estimators=4, random_state=0),
        bagging=BaggingClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=4, random_state=0),
        calibrated=CalibratedClassifierCV(DecisionTreeClassifier(max_depth=3), cv=3),
        stacked=StackingClassifier([("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=3))]),
        quadratic=QuadraticDiscriminantAnalysis(),
    ).items():
        write(f"sklearn-{name}.onnx", m.fit(t[few].values, t.y3), floats, few)
    tree = DecisionTreeClassifier(max_depth=4)
    write("sklearn-whole-numbers.onnx", tree.fit(t[["grade", "count"]].values, t.y), [("X", Int64TensorType([None, 2]))],
          ["grade", "count"])
    wide = ["seconds", "cents"]
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(t[wide].values, t.y)
    write("sklearn-doubles.onnx", scaled, [("X", DoubleTensorType([None, 2]))], wide)


{"table": table, "old": old, "new": new}[sys.argv[1]]()

"""Explanations of black boxes in this process: scikit-learn, XGBoost, LightGBM, CatBoost and callables."""
import subprocess
import sys
import warnings

import numpy as np
import pandas
import pytest

import headlamp

ROWS = [1, 4, 100]


def explained(table, model, target="over", **options):
    """What the command says a model predicts of some rows; a warning of the model fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return headlamp.explain(
            table, target, black_box=model, rows=ROWS, refits=0, progress=False, no_report=True, **options)


def assert_exact(result, model, features, tolerance=1e-5):
    """The command's probabilities of its predicted classes are the model's own."""
    own = model.predict_proba(features.iloc[[row - 1 for row in ROWS]])
    for said, row in zip(result.explanations.itertuples(), own):
        names = [str(name) for name in model.classes_]
        assert said.prediction == pytest.approx(row[names.index(str(said.outcome))], abs=tolerance)
        assert row.max() == pytest.approx(said.prediction, abs=tolerance)


def handed_over(result):
    """Whether the model went over as a file."""
    return any((result.folder / name).exists() for name in ("black-box.json", "black-box.txt"))


def test_a_table_and_its_own_black_box(numbers):
    result = headlamp.explain(numbers, "over", progress=False)
    assert result.importance["feature"].iloc[0] == "x"
    assert (result.folder / "report.html").exists() and len(result.rules) > 0


def test_the_last_column_is_the_target(numbers):
    assert headlamp.explain(numbers, refits=0, progress=False).summary["table"]["target"] == "over"


def test_rows_without_pandas(numbers):
    rows = [list(numbers.columns), *numbers.to_numpy().tolist()]
    result = headlamp.explain(rows, "over", refits=0, progress=False)
    assert result.summary["table"]["rows"] == 300


def test_numpy_is_enough():
    program = """
import sys
sys.modules["pandas"] = sys.modules["h5py"] = sys.modules["sklearn"] = None
import headlamp
rows = [["x", "y", "t"]] + [[i % 7, i * 3 % 11, "a" if i % 7 > 3 else "b"] for i in range(120)]
model = lambda rows: [float(float(row[0]) > 3) for row in rows]
why = headlamp.explain(rows, "t", black_box=model, classes=["b", "a"], refits=0, progress=False, rows=[5])
print(why.explanations["outcome"][0], why.explanations["prediction"][0])
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["a", "1.0"]


# scikit-learn


def test_a_pipeline_on_columns_of_every_type(mixed):
    compose = pytest.importorskip("sklearn.compose")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    features = mixed.drop(columns="outcome")
    # The encoder refuses a category it has not seen: every value must come back as it was.
    model = make_pipeline(
        compose.make_column_transformer(
            (OneHotEncoder(), ["flag", "code", "colour"]), (SimpleImputer(), ["number", "size", "whole"])),
        RandomForestClassifier(20, random_state=0)).fit(features, mixed["outcome"])
    result = explained(mixed, model, "outcome")
    assert_exact(result, model, features)
    assert not handed_over(result)
    assert set(result.importance["feature"]) == set(features.columns)


def test_a_classifier_without_probabilities(numbers):
    svm = pytest.importorskip("sklearn.svm")
    model = svm.LinearSVC().fit(numbers[["x", "y"]], numbers["over"])
    result = explained(numbers, model)
    own = model.predict(numbers[["x", "y"]].iloc[[row - 1 for row in ROWS]])
    assert list(result.explanations["outcome"]) == list(own) and set(result.explanations["prediction"]) == {1.0}


def test_an_estimator_fitted_to_an_array(numbers):
    linear = pytest.importorskip("sklearn.linear_model")
    model = linear.LogisticRegression().fit(numbers[["x", "y"]].to_numpy(), numbers["over"])
    result = explained(numbers, model)
    own = model.predict_proba(numbers[["x", "y"]].to_numpy()[[row - 1 for row in ROWS]]).max(axis=1)
    assert np.allclose(result.explanations["prediction"], own, atol=1e-5)


def test_columns_in_another_order_and_one_too_many(numbers):
    linear = pytest.importorskip("sklearn.linear_model")
    model = linear.LogisticRegression().fit(numbers[["y", "x"]], numbers["over"])
    table = numbers.assign(unused=1.0)[["over", "x", "unused", "y"]]
    result = explained(table, model)
    assert_exact(result, model, numbers[["y", "x"]])
    assert "unused" not in set(result.importance["feature"])


def test_names_with_commas_and_quotes(numbers):
    linear = pytest.importorskip("sklearn.linear_model")
    features = pandas.DataFrame({"x, first": numbers["x"], 'the "y"': numbers["y"], "café": numbers["x"] > 1})
    target = np.where(numbers["over"] == "yes", "yes, surely", "no")
    model = linear.LogisticRegression().fit(features, target)
    assert_exact(explained(features.assign(over=target), model), model, features)


def test_names_that_are_numbers(numbers):
    linear = pytest.importorskip("sklearn.linear_model")
    features = pandas.DataFrame({0: numbers["x"], 1: numbers["y"]})
    model = linear.LogisticRegression().fit(features.to_numpy(), numbers["over"] == "yes")
    result = explained(features.assign(over=numbers["over"] == "yes"), model)
    own = model.predict_proba(features.to_numpy()[[row - 1 for row in ROWS]]).max(axis=1)
    assert np.allclose(result.explanations["prediction"], own, atol=1e-5)


def test_a_regressor_of_few_whole_numbers(numbers):
    ensemble = pytest.importorskip("sklearn.ensemble")
    table = numbers[["x", "y"]].assign(count=(numbers["x"] > 0) * 1 + (numbers["y"] > 0) * 1)
    model = ensemble.RandomForestRegressor(10, random_state=0).fit(table[["x", "y"]], table["count"])
    result = explained(table, model, "count")
    own = model.predict(table[["x", "y"]].iloc[[row - 1 for row in ROWS]])
    assert np.allclose(result.explanations["prediction"], own, atol=1e-5)


def test_three_classes(numbers):
    ensemble = pytest.importorskip("sklearn.ensemble")
    features = numbers[["x", "y"]]
    target = np.select([features["x"] > 0.5, features["x"] < -0.5], ["high", "low"], "middle")
    model = ensemble.ExtraTreesClassifier(20, random_state=0).fit(features, target)
    assert_exact(explained(features.assign(over=target), model), model, features)


# Libraries of boosted trees: over as a file


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm", "catboost"])
def test_boosted_trees_go_over_as_a_file(numbers, kind):
    library = pytest.importorskip(kind)
    features = numbers[["x", "y"]]
    target = (numbers["over"] == "yes").astype(int)
    model = {
        "xgboost": lambda: library.XGBClassifier(n_estimators=20),
        "lightgbm": lambda: library.LGBMClassifier(n_estimators=20, verbose=-1),
        "catboost": lambda: library.CatBoostClassifier(iterations=20, verbose=0, allow_writing_files=False),
    }[kind]().fit(features, target)
    result = explained(features.assign(over=target), model)
    assert handed_over(result)
    assert_exact(result, model, features)


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm", "catboost"])
def test_boosted_trees_on_categories(mixed, kind):
    library = pytest.importorskip(kind)
    features = mixed[["size", "whole", "colour"]].fillna({"size": 0})
    target = (mixed["outcome"] == "yes").astype(int)
    model = {
        "xgboost": lambda: library.XGBClassifier(n_estimators=20, enable_categorical=True),
        "lightgbm": lambda: library.LGBMClassifier(n_estimators=20, verbose=-1),
        "catboost": lambda: library.CatBoostClassifier(
            iterations=20, verbose=0, allow_writing_files=False, cat_features=["colour"]),
    }[kind]().fit(features, target)
    assert_exact(explained(features.assign(over=target), model), model, features)


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm", "catboost"])
def test_boosted_trees_that_regress(numbers, kind):
    library = pytest.importorskip(kind)
    features, target = numbers[["x"]], numbers["y"]
    model = {
        "xgboost": lambda: library.XGBRegressor(n_estimators=20),
        "lightgbm": lambda: library.LGBMRegressor(n_estimators=20, verbose=-1),
        "catboost": lambda: library.CatBoostRegressor(iterations=20, verbose=0, allow_writing_files=False),
    }[kind]().fit(features, target)
    result = explained(numbers[["x", "y"]], model, "y")
    own = model.predict(features.iloc[[row - 1 for row in ROWS]])
    assert np.allclose(result.explanations["prediction"], own, atol=1e-4)


def test_a_file_that_is_read_otherwise_is_not_used(numbers):
    xgboost = pytest.importorskip("xgboost")
    features, target = numbers[["x", "y"]], (numbers["over"] == "yes").astype(int)

    class Shifted(xgboost.XGBClassifier):
        """Says something else than its file."""

        def predict_proba(self, rows, **options):
            return super().predict_proba(rows, **options) * 0.5 + 0.25

    Shifted.__module__ = "xgboost.sklearn"
    model = Shifted(n_estimators=5).fit(features, target)
    result = explained(features.assign(over=target), model)
    assert not handed_over(result)
    assert_exact(result, model, features)


def test_boosters_without_their_estimators(numbers):
    xgboost, lightgbm = pytest.importorskip("xgboost"), pytest.importorskip("lightgbm")
    features, target = numbers[["x", "y"]], (numbers["over"] == "yes").astype(int)
    table = features.assign(over=target)
    for estimator in (
        xgboost.XGBClassifier(n_estimators=5), lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)
    ):
        estimator.fit(features, target)
        booster = estimator.get_booster() if hasattr(estimator, "get_booster") else estimator.booster_
        assert_exact(explained(table, booster), estimator, features)


# Callables


def test_a_callable_that_gives_probabilities(numbers):
    result = explained(numbers, lambda rows: 1 / (1 + np.exp(-3 * rows["x"])))
    own = 1 / (1 + np.exp(-3 * numbers["x"].iloc[[row - 1 for row in ROWS]]))
    assert np.allclose(result.explanations["prediction"], np.maximum(own, 1 - own), atol=1e-5)


def test_a_callable_that_names_classes(numbers):
    result = explained(numbers, lambda rows: np.where(rows["x"] > 0, "yes", "no"))
    own = np.where(numbers["x"].iloc[[row - 1 for row in ROWS]] > 0, "yes", "no")
    assert list(result.explanations["outcome"]) == list(own)


def test_a_callable_that_says_true_or_false(numbers):
    result = explained(numbers, lambda rows: rows["x"] > 0)
    own = np.where(numbers["x"].iloc[[row - 1 for row in ROWS]] > 0, "yes", "no")
    assert list(result.explanations["outcome"]) == list(own)


def test_a_callable_with_its_own_order_of_classes(numbers):
    def both(rows):
        yes = 1 / (1 + np.exp(-3 * rows["x"].to_numpy()))
        return np.column_stack([yes, 1 - yes])

    result = explained(numbers, both, classes=["yes", "no"])
    own = numbers["x"].iloc[[row - 1 for row in ROWS]] > 0
    assert list(result.explanations["outcome"] == "yes") == list(own)


def test_a_callable_that_gives_a_quantity(numbers):
    table = numbers[["x", "y"]].assign(quantity=2.5 * numbers["x"])
    result = explained(table, lambda rows: 2.5 * rows["x"], "quantity")
    assert np.allclose(
        result.explanations["prediction"], table["quantity"].iloc[[row - 1 for row in ROWS]], atol=1e-4)


def test_columns_come_as_they_were(mixed):
    seen = []

    def model(rows):
        seen.append(rows.dtypes.astype(str).to_dict())
        assert set(rows["code"]) <= set(mixed["code"]) and set(rows["flag"]) <= {True, False}
        return (rows["size"].fillna(0) + rows["flag"] > 0.4).astype(float)

    explained(mixed, model, "outcome")
    expected = mixed.drop(columns="outcome").dtypes.astype(str).to_dict()
    for found in seen:
        assert list(found) == list(expected)
        # A whole number may have been changed to one between two of the table's.
        assert {**found, "whole": "int64", "number": "int64"} == expected


def test_dates_come_as_dates():
    days = pandas.date_range("2021-03-01", periods=200)
    table = pandas.DataFrame({"day": days, "x": np.arange(200) % 7, "late": days > "2021-06-01"})

    def model(rows):
        return (rows["day"] > pandas.Timestamp("2021-06-01")).astype(float)

    result = explained(table, model, "late")
    assert list(result.explanations["outcome"].astype(str)) == ["False", "False", "True"]


# Errors


def test_a_failing_model_is_one_line(numbers):
    def broken(rows):
        raise ValueError("no answer\ntoday")

    with pytest.raises(headlamp.HeadlampError, match="ValueError: no answer today") as error:
        headlamp.explain(numbers, "over", black_box=broken, progress=False)
    assert isinstance(error.value.__cause__, ValueError)


def test_a_wrong_number_of_answers_is_told(numbers):
    with pytest.raises(headlamp.HeadlampError, match="3 numbers a row for 2 classes"):
        headlamp.explain(numbers, "over", black_box=lambda rows: np.ones((len(rows), 3)) / 3, progress=False)


def test_something_that_is_no_model(numbers):
    with pytest.raises(TypeError, match="int is neither a model"):
        headlamp.explain(numbers, "over", black_box=3, progress=False)


def test_a_target_that_is_not_there(numbers):
    with pytest.raises(headlamp.HeadlampError, match="no-such-column"):
        headlamp.explain(numbers, "no-such-column", progress=False)

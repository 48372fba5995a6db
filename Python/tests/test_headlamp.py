"""The package as a user has it: run in an environment with the wheel, pandas, h5py and scikit-learn."""
import numpy as np
import pytest

import headlamp

pandas = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def found():
    return headlamp.discover("ioi", examples=40, epochs=100, dictionaries=1, progress=False)


def test_heads_codes_and_outputs(found):
    assert len(found.heads) == 32 and found.heads["rank"].iloc[0] == 1
    assert {"layer", "head", "code", "promotes"} <= set(found.codes.columns)
    assert found.head_outputs.shape == (80, 4, 8, 96) and found.labels.sum() == 40
    assert found.summary["task"] == "ioi" and "heads are in the circuit" in found.text


def test_the_report_shows_in_a_notebook(found):
    shown = found._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "&lt;!DOCTYPE html&gt;" in shown


def test_prompts_of_ones_own():
    prompts = []
    for pair in range(12):
        prompts.append({"tokens": [5 + pair, 6, 7], "label": 1, "pair": pair, "answer": 8, "wrong": [9]})
        prompts.append({"tokens": [5 + pair, 6, 10], "label": 0, "pair": pair})
    result = headlamp.discover(prompts, epochs=20, dictionaries=1, progress=False)
    assert len(result.heads) == 32


def test_errors_are_the_commands_own_lines(tmp_path):
    with pytest.raises(headlamp.HeadlampError, match="no task 'no-such'") as error:
        headlamp.discover("no-such", progress=False)
    assert error.value.exit_code in (1, 2) and "\n" not in str(error.value)


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 300))
    return pandas.DataFrame({"x": x, "y": y, "over": np.where(x + 0.3 * y > 0, "yes", "no")})


def test_a_table_and_its_own_black_box(table):
    result = headlamp.explain(table, "over", progress=False)
    assert result.importance.iloc[0, 0] == "x" or "x" in result.importance.iloc[0].astype(str).tolist()
    assert "report.html" in {path.name for path in result.folder.iterdir()}


def test_an_estimator_is_asked_exactly(table):
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = linear_model.LogisticRegression().fit(table[["x", "y"]], table["over"])
    result = headlamp.explain(table, "over", black_box=model, rows=[1, 2, 3], progress=False)
    assert len(result.explanations) == 3


def test_a_failing_model_is_one_line(table):
    def broken(rows):
        raise ValueError("no answer today")

    with pytest.raises(headlamp.HeadlampError, match="no answer today"):
        headlamp.explain(table, "over", black_box=broken, progress=False)

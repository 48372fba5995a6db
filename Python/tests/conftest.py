"""Tables that several tests explain. The tests run against the installed package, in an environment with what it can use."""
import numpy as np
import pandas
import pytest


@pytest.fixture(scope="session")
def numbers():
    """Two numeric columns and a target of two classes."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 300))
    return pandas.DataFrame({"x": x, "y": y, "over": np.where(x + 0.3 * y > 0, "yes", "no")})


@pytest.fixture(scope="session")
def mixed():
    """Columns of every type, a row number and missing cells among them."""
    random = np.random.default_rng(1)
    n = 240
    table = pandas.DataFrame({
        "number": np.arange(n),
        "size": random.normal(size=n),
        "whole": random.integers(0, 9, n),
        "flag": random.random(n) > 0.5,
        "code": [f"{value:05d}" for value in random.integers(0, 5, n)],
        "colour": pandas.Categorical(random.choice(["red", "green", "blue"], n)),
    })
    table.loc[3, "size"] = np.nan
    score = table["size"].fillna(0) + table["flag"] + (table["colour"] == "red")
    return table.assign(outcome=np.where(score > 0.8, "yes", "no"))

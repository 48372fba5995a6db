"""Does an explanation name the rule behind the labels? Tables with a known rule and many columns of noise.

usage: known_rules.py HEADLAMP [--columns N] [--rows N] [--seeds N] [--black-box KIND] [--turned SHARE]

For every seed a table is drawn: a row is 'yes' where dose > t1 and site is not 'c' and age <= t2, with thresholds that
depend on the seed, among columns of normal numbers and categories that say nothing. `headlamp explain` explains twenty
rows, and its files are read back. Printed, by seed and together:

  kept        how many features the surrogate keeps, how many of the rule's three are among them
  top three   how many of the three most important features are the rule's
  rule        recall and precision of the surrogate's 'yes' rules on the rows that the true rule holds for
  changes     share of the nearest counterfactuals' changed cells that stand in the rule's columns
"""

import argparse
import csv
import json
import os
import re
import subprocess
import tempfile

import numpy as np

NAMES = ["dose", "site", "age"]


def draw(seed, rows, columns, turned):
    rng = np.random.default_rng(seed)
    dose = np.round(rng.uniform(0, 10, rows), 2)
    site = rng.choice(list("abcd"), rows)
    age = rng.integers(18, 90, rows)
    low, high = round(rng.uniform(2.5, 4.5), 1), int(rng.integers(60, 75))
    truth = (dose > low) & (site != "c") & (age <= high)
    label = truth ^ (rng.random(rows) < turned)
    table = {"dose": dose, "site": site, "age": age}
    for column in range(columns):
        if column % 10 == 9:
            table[f"noise {column}"] = rng.choice(list("pqr"), rows)
        else:
            table[f"noise {column}"] = np.round(rng.normal(size=rows), 3)
    order = rng.permutation(list(table))
    return {name: table[name] for name in order}, np.where(label, "yes", "no"), truth, (low, high)


def write(path, table, label):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*table, "label"])
        writer.writerows(zip(*table.values(), label))


def holds(condition, table):
    """The rows that one condition of a rule's text holds for."""
    between = re.match(r"(\S+) < (.+) ≤ (\S+)$", condition)
    if between:
        low, name, high = between.groups()
        return (table[name] > float(low)) & (table[name] <= float(high))
    for pattern, test in [
        (r"(.+) > (\S+)$", lambda cells, bound: cells > float(bound)),
        (r"(.+) ≤ (\S+)$", lambda cells, bound: cells <= float(bound)),
        (r"(.+) is not (.+)$", lambda cells, names: ~np.isin(cells, names.split(" or "))),
        (r"(.+) is (.+)$", lambda cells, names: np.isin(cells, names.split(" or "))),
    ]:
        match = re.match(pattern, condition)
        if match:
            return test(table[match.group(1)], match.group(2))
    if condition == "always":
        return True
    raise SystemExit(f"a condition that this script cannot read: {condition}")


def read(folder, name):
    with open(os.path.join(folder, name), newline="") as file:
        return list(csv.DictReader(file))


def explain(headlamp, folder, kind, seed):
    rows = ",".join(str(row) for row in range(1, 21))
    done = subprocess.run(
        [headlamp, "explain", os.path.join(folder, "table.csv"), "--black-box", kind, "--seed", str(seed), "--rows",
         rows, "--surrogate", "tree", "--output", os.path.join(folder, "out")], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)


def one(headlamp, seed, arguments):
    with tempfile.TemporaryDirectory() as folder:
        table, label, truth, bounds = draw(seed, arguments.rows, arguments.columns, arguments.turned)
        write(os.path.join(folder, "table.csv"), table, label)
        explain(headlamp, folder, arguments.black_box, seed)
        out = os.path.join(folder, "out")
        importance = read(out, "importance.csv")
        kept = [line["feature"] for line in importance if line["kept"] == "true"]
        top = [line["feature"] for line in importance[:3]]
        found = np.zeros(len(truth), bool)
        for line in read(out, "rules.csv"):
            if line["outcome"] == "yes":
                covered = np.ones(len(truth), bool)
                for condition in line["rule"].split(" and "):
                    covered &= holds(condition, table)
                found |= covered
        nearest = [line for line in read(out, "counterfactuals.csv") if line["counterfactual"] == "1"]
        with open(os.path.join(out, "summary.json")) as file:
            summary = json.load(file)
        return {
            "kept": len(kept), "kept_right": len(set(kept) & set(NAMES)), "top_right": len(set(top) & set(NAMES)),
            "recall": (found & truth).sum() / truth.sum(),
            "precision": (found & truth).sum() / max(1, found.sum()),
            "changes": len(nearest), "changes_right": sum(line["feature"] in NAMES for line in nearest),
            "answered": summary["counterfactuals"]["rows_answered"],
            "accuracy": summary["black_box"]["accuracy"]["value"],
            "fidelity": summary["surrogate"]["label_agreement"]["value"],
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("headlamp")
    parser.add_argument("--columns", type=int, default=20000)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--black-box", default="boosted")
    parser.add_argument("--turned", type=float, default=0.0)
    arguments = parser.parse_args()
    print(f"{arguments.rows} rows, {arguments.columns} columns of noise, {arguments.black_box}, "
          f"{100 * arguments.turned:.0f} % of the labels turned round\n")
    print("| seed | black box | fidelity | kept (right) | top three right | rule: recall | precision "
          "| changes in the rule's columns |")
    print("|---|---|---|---|---|---|---|---|")
    results = []
    for seed in range(1, arguments.seeds + 1):
        r = one(arguments.headlamp, seed, arguments)
        results.append(r)
        print(f"| {seed} | {r['accuracy']:.3f} | {r['fidelity']:.3f} | {r['kept']} ({r['kept_right']}) "
              f"| {r['top_right']} | {r['recall']:.3f} | {r['precision']:.3f} "
              f"| {r['changes_right']} of {r['changes']}, {r['answered']} of 20 rows answered |", flush=True)

    def total(key):
        return sum(r[key] for r in results)

    print(f"\nfeatures: recall {total('kept_right') / (3 * len(results)):.3f}, "
          f"precision {total('kept_right') / total('kept'):.3f}; top three {total('top_right') / (3 * len(results)):.3f}; "
          f"rule: recall {np.mean([r['recall'] for r in results]):.3f}, "
          f"precision {np.mean([r['precision'] for r in results]):.3f}; "
          f"changes {total('changes_right') / max(1, total('changes')):.3f}")


if __name__ == "__main__":
    main()

"""How many rows a category needs before a tree may ask about it, and what an identifier column does.

usage: categories.py HEADLAMP [choosing|reporting]

First table: held-out quality (accuracy, or R²) by `headlamp fit --category-rows N`, five folds, for boosted trees and a random
forest, on tables with many categories: a text column of the package's table, or, where there is none, one that stands for
a drawn third of the rows (`code`, noise). Second table: the same quality with and without an added column `customer code`
of as many different texts as half of the rows, kept in by --keep.
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import package_tables  # noqa: E402

ROWS = [1, 2, 4, 8, 16, 32]


def quality(command, frame, target, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "table.csv")
        frame.to_csv(path, index=False)
        answer = subprocess.run([command, "fit", path, "--target", target, "--json", *options], capture_output=True, text=True)
        if answer.returncode:
            raise SystemExit(answer.stderr)
        held = json.loads(answer.stdout.strip().splitlines()[-1])["held_out"]
        return held["accuracy" if "accuracy" in held else "r2"]["value"]


def with_codes(frame, share):
    """The table with a text column that says nothing, of about `share` × rows different texts."""
    rng = np.random.default_rng(3)
    codes = rng.integers(0, max(2, int(len(frame) * share)), len(frame))
    return frame.assign(**{"customer code": [f"c{code}" for code in codes]})


def main():
    command = os.path.abspath(sys.argv[1])
    part = sys.argv[2] if len(sys.argv) > 2 else "reporting"
    names = [n for n in getattr(package_tables, part.upper())]
    tables = {}
    for name in names:
        frame, target = package_tables.read(name)
        if len(frame) <= 3000:
            tables[name] = (frame, target)
    for kind, more in (("boosted", []), ("forest", ["--trees", "100"])):
        print(f"\n{kind}: quality by --category-rows, with a column of noise of a third as many texts as rows\n")
        print("| table | " + " | ".join(str(n) for n in ROWS) + " |\n|---|" + "---|" * len(ROWS))
        sums = []
        for name, (frame, target) in tables.items():
            noisy = with_codes(frame, 1 / 3)
            found = [quality(command, noisy, target, "--black-box", kind, "--category-rows", str(n), *more) for n in ROWS]
            sums.append(found)
            print(f"| {name} | " + " | ".join(f"{v:.3f}" for v in found) + " |", flush=True)
        print("| mean | " + " | ".join(f"{v:.3f}" for v in np.mean(sums, 0)) + " |")
    print("\n| table | boosted | with an identifier | forest | with an identifier |\n|---|---|---|---|---|")
    for name, (frame, target) in tables.items():
        cells = []
        for kind, more in (("boosted", []), ("forest", ["--trees", "100"])):
            plain = quality(command, frame, target, "--black-box", kind, *more)
            coded = quality(command, with_codes(frame, 1), target, "--black-box", kind, "--keep", "customer code", *more)
            cells += [f"{plain:.3f}", f"{coded:.3f}"]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs commands many times, on 1, 2 and 8 threads, idle and under load, and compares every byte of what they write.

Summaries hold times, which are left out of the comparison.
"""
import argparse, hashlib, os, re, shutil, subprocess, sys, tempfile

parser = argparse.ArgumentParser()
parser.add_argument("headlamp")
parser.add_argument("--runs", type=int, default=100)
parser.add_argument("--only", help="names of jobs, separated by semicolons", default="")
options = parser.parse_args()
command = os.path.abspath(options.headlamp)

SMALL = ["--layers", "2", "--heads", "4", "--d-model", "32", "--batch", "8", "--pairs", "100"]
JOBS = {
    "record": ["record", "ioi", "--examples", "40", "--position", "each"],
    "train": ["train", "base.h5", "--epochs", "40"],
    "train-model": ["train-model", "induction", "--steps", "12"] + SMALL,
    "discover": ["discover", "ioi", "--examples", "30"],
    "attribute": ["attribute", "ioi", "--examples", "20"],
    "patch": ["patch", "ioi", "--examples", "20"],
    "fit, boosted": ["fit", "example", "--black-box", "boosted", "--folds", "0"],
    "fit, forest": ["fit", "example", "--black-box", "forest", "--folds", "0"],
    "fit, perceptron": ["fit", "example", "--black-box", "mlp", "--folds", "0"],
    "explain": ["explain", "example", "--row", "2"],
    "importance": ["importance", "example"],
    "probe": ["probe", "base.h5", "--target", "label"],
    "normality": ["normality", "fit", "base.h5"],
    "quantise": ["quantise", "table.csv", "--target", "y"],
    "fit, quantised": ["fit", "table.safetensors"],
    "fit, quantities": ["fit", "table.csv", "--target", "y", "--black-box", "boosted", "--folds", "0"],
}


def digest(path):
    total = hashlib.sha256()
    places = [path] if os.path.isfile(path) else sorted(
        os.path.join(top, name) for top, _, names in os.walk(path) for name in names)
    for place in places:
        data = open(place, "rb").read()
        if place.endswith((".json", ".csv")):
            data = re.sub(rb'"[a-z_ ]*seconds[a-z_ ]*" *: *[-+.0-9e]+', b"", data)
            data = re.sub(rb'"stages" *: *\{[^}]*\}', b"", data)
            data = re.sub(rb'"threads" *: *[0-9]+', b"", data)
        total.update(os.path.relpath(place, path).encode() + b"\0" + data)
    return total.hexdigest()


failed = False
with tempfile.TemporaryDirectory() as folder:
    made = subprocess.run(
        [command, "record", "ioi", "--examples", "40", "--output", "base.h5"], cwd=folder, capture_output=True, text=True)
    if made.returncode != 0:
        sys.exit(made.stderr)
    with open(os.path.join(folder, "table.csv"), "w") as table:
        table.write("a,b,c,y\n" + "".join(
            f"{i * 7 % 101},{i * 13 % 57},{'uvw'[i % 3]},{(i * 7 % 101) * 2 + i * 13 % 57 + i % 5}\n" for i in range(5000)))
    made = subprocess.run(
        [command, "quantise", "table.csv", "--target", "y", "--output", "table.safetensors"], cwd=folder, capture_output=True,
        text=True)
    if made.returncode != 0:
        sys.exit(made.stderr)
    chosen = [name.strip() for name in options.only.split(";") if name.strip()] or list(JOBS)
    for name, words in ((name, JOBS[name]) for name in chosen):
        found = {}
        for run in range(options.runs):
            threads = (1, 2, 8)[run % 3]
            # Every other run shares the processor with loops that do nothing.
            load = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2 * (run // 3 % 2))]
            try:
                result = subprocess.run(
                    [command] + words + ["--output", "out", "--threads", str(threads)], cwd=folder,
                    capture_output=True, text=True)
            finally:
                for process in load:
                    process.kill()
                    process.wait()
            if result.returncode != 0:
                sys.exit(f"{name}: {result.stderr}")
            path = os.path.join(folder, "out")
            found.setdefault(digest(path), []).append(threads)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        same = len(found) == 1
        failed |= not same
        print(f"{name}: {options.runs} runs, " + ("the same bytes" if same else f"{len(found)} different results: {found}"),
              flush=True)
sys.exit(1 if failed else 0)

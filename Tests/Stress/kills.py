#!/usr/bin/env python3
"""Kills commands at random moments and checks what is left.

After each kill every output is whole or absent, and the same command, run again, ends with the bytes of a run that was
never disturbed (summaries hold times, which are left out).
"""
import argparse, os, random, re, shutil, signal, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser()
parser.add_argument("headlamp")
parser.add_argument("--kills", type=int, default=500)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
command = os.path.abspath(options.headlamp)
chance = random.Random(options.seed)

SMALL = ["--layers", "1", "--heads", "2", "--d-model", "16", "--batch", "4", "--pairs", "50"]
JOBS = {
    "record": (["record", "induction", "--model", "model", "--examples", "2000", "--position", "each"], "r.h5"),
    "train": (["train", "base.h5", "--epochs", "300"], "a.safetensors"),
    "train-model": (["train-model", "induction", "--steps", "400", "--checkpoint-every", "20"] + SMALL, "trained"),
    "fit": (["fit", "example", "--black-box", "boosted", "--folds", "0"], "model.json"),
    "explain": (["explain", "example", "--black-box", "base.json"], "why"),
    "attribute": (["attribute", "induction", "--model", "model", "--examples", "60"], "paths"),
}


def run(words, folder, **extra):
    return subprocess.run([command] + words, cwd=folder, capture_output=True, text=True, **extra)


def contents(path):
    if os.path.isfile(path):
        files = {"": path}
    else:
        files = {
            os.path.relpath(os.path.join(top, name), path): os.path.join(top, name)
            for top, _, names in os.walk(path) for name in names
        }
    found = {}
    for name, place in files.items():
        data = open(place, "rb").read()
        if name.endswith((".json", ".csv")):
            data = re.sub(rb'"[a-z_ ]*seconds[a-z_ ]*" *: *[-+.0-9e]+', b"", data)
        found[name] = data
    return found


def remove(path):
    for name in (path, path + ".partial"):
        if os.path.isdir(name):
            shutil.rmtree(name)
        elif os.path.exists(name):
            os.remove(name)


def complain(text):
    print("FAILED:", text)
    sys.exit(1)


with tempfile.TemporaryDirectory() as folder:
    for words in (
        ["train-model", "induction", "--output", "model", "--steps", "5"] + SMALL,
        ["record", "induction", "--model", "model", "--examples", "30", "--output", "base.h5"],
        ["fit", "example", "--black-box", "boosted", "--folds", "0", "--output", "base.json"],
    ):
        made = run(words, folder)
        if made.returncode != 0:
            complain(made.stderr)
    totals = {}
    each = -(-options.kills // len(JOBS))
    for name, (words, output) in JOBS.items():
        path = os.path.join(folder, output)
        words = words + ["--output", output]
        start = time.time()
        whole_run = run(words, folder)
        if whole_run.returncode != 0:
            complain(f"{name}: {whole_run.stderr}")
        length = time.time() - start
        whole = contents(path)
        remove(path)
        kills, rounds, leftovers = 0, 0, 0
        while kills < each:
            rounds += 1
            # A few kills, then a run to the end.
            for _ in range(chance.randint(1, 4)):
                if kills >= each:
                    break
                now = list(words)
                if name == "train-model" and os.path.exists(path + "/checkpoint.safetensors"):
                    now.append("--resume")
                process = subprocess.Popen(
                    [command] + now, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                time.sleep(chance.uniform(0, length))
                process.send_signal(signal.SIGKILL)
                errors = process.communicate()[1]
                if process.returncode == -signal.SIGKILL:
                    kills += 1
                elif process.returncode != 0:
                    complain(f"{name}: {errors}")
                for file, data in contents(path).items():
                    # A temporary name in the output folder stays until the next run claims the folder.
                    is_temporary = os.path.basename(file).startswith(".headlamp-")
                    if file != "checkpoint.safetensors" and not is_temporary and data != whole.get(file):
                        complain(f"{name}: {file} is neither absent nor whole")
            now = list(words)
            if name == "train-model" and os.path.exists(path + "/checkpoint.safetensors"):
                now.append("--resume")
            last = run(now, folder)
            if last.returncode != 0:
                complain(f"{name}: the run after the kills: {last.stderr}")
            if contents(path) != whole:
                complain(f"{name}: the run after the kills gives other bytes")
            for left in [n for n in os.listdir(folder) if n.startswith(".headlamp-")]:
                leftovers += 1
                os.remove(os.path.join(folder, left))
            remove(path)
        totals[name] = kills
        print(f"{name}: {kills} kills, {rounds} runs to the end, all with the same bytes; {leftovers} temporary names left")
    print(f"{sum(totals.values())} kills survived")

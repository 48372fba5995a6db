#!/usr/bin/env python3
"""Kills parts of work at random moments, and checks that nothing finished is lost and nothing unfinished is taken.

Parts run two at a time, as a cluster runs them; some are killed. A part that was finished keeps its bytes; one that was
not is refused by 'merge'; in the end the merged result has the bytes of a run that was never disturbed.
"""
import argparse, glob, os, random, shutil, signal, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser()
parser.add_argument("headlamp")
parser.add_argument("--kills", type=int, default=50)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
command = os.path.abspath(options.headlamp)
chance = random.Random(options.seed)
PARTS = 5

SMALL = ["--layers", "1", "--heads", "2", "--d-model", "16", "--batch", "4", "--pairs", "50"]
JOBS = {
    "record": (["record", "induction", "--model", "model", "--examples", "2000", "--position", "each"], ".h5"),
    "attribute": (["attribute", "induction", "--model", "model", "--examples", "300", "--no-report"], ""),
    "patch": (["patch", "induction", "--model", "model", "--examples", "300", "--no-report"], ""),
    "explain": (["explain", "example", "--black-box", "base.json", "--all", "--refits", "0", "--no-report"], ""),
}


def run(words, folder):
    return subprocess.run([command] + words, cwd=folder, capture_output=True, text=True)


def contents(path):
    if os.path.isfile(path):
        return {"": open(path, "rb").read()}
    return {
        os.path.relpath(os.path.join(top, name), path): open(os.path.join(top, name), "rb").read()
        for top, _, names in os.walk(path) for name in names
    }


def is_finished(path):
    return os.path.isfile(path) or os.path.isfile(os.path.join(path, "shard.json"))


def remove(path):
    for name in glob.glob(path + "*"):
        shutil.rmtree(name) if os.path.isdir(name) else os.remove(name)


def complain(text):
    print("FAILED:", text)
    sys.exit(1)


with tempfile.TemporaryDirectory() as folder:
    for words in (
        ["train-model", "induction", "--output", "model", "--steps", "5"] + SMALL,
        ["fit", "example", "--black-box", "boosted", "--folds", "0", "--output", "base.json"],
    ):
        made = run(words, folder)
        if made.returncode != 0:
            complain(made.stderr)
    survived = 0
    each = -(-options.kills // len(JOBS))
    for name, (words, ending) in JOBS.items():
        paths = [f"{name}-{part}{ending}" for part in range(1, PARTS + 1)]
        merged = "merged" + ending
        merge = ["merge", *paths, "--output", merged] + (["--copy"] if ending else [])

        def part(number):
            return words + ["--shard", f"{number}/{PARTS}", "--output", paths[number - 1]]

        start = time.time()
        for number in range(1, PARTS + 1):
            made = run(part(number), folder)
            if made.returncode != 0:
                complain(f"{name}: {made.stderr}")
        length = (time.time() - start) / PARTS
        reference = [contents(os.path.join(folder, path)) for path in paths]
        if run(merge, folder).returncode != 0:
            complain(f"{name}: the undisturbed parts do not merge")
        whole = contents(os.path.join(folder, merged))
        kills = rounds = kept = 0
        while kills < each:
            rounds += 1
            remove(os.path.join(folder, name + "-"))
            remove(os.path.join(folder, "merged"))
            waiting = list(range(1, PARTS + 1))
            running = {}
            while waiting or running:
                while waiting and len(running) < 2:
                    number = waiting.pop(0)
                    running[number] = (
                        subprocess.Popen([command] + part(number), cwd=folder, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.PIPE, text=True),
                        # Half of them are left alone.
                        time.time() + chance.uniform(0, 1.5 * length) if chance.random() < 0.6 and kills < each else None,
                    )
                for number, (process, end) in list(running.items()):
                    if end is not None and time.time() >= end:
                        process.send_signal(signal.SIGKILL)
                    if process.poll() is None:
                        continue
                    errors = process.communicate()[1]
                    del running[number]
                    path = os.path.join(folder, paths[number - 1])
                    if process.returncode == -signal.SIGKILL:
                        kills += 1
                        waiting.append(number)
                        if is_finished(path):
                            kept += 1
                        else:
                            refused = run(merge, folder)
                            if refused.returncode == 0 or os.path.exists(os.path.join(folder, merged)):
                                complain(f"{name}: part {number} was killed, unfinished, and merged")
                            if len(refused.stderr.strip().split("\n")) != 1:
                                complain(f"{name}: not one line: {refused.stderr}")
                    elif process.returncode != 0:
                        complain(f"{name}: {errors}")
                    for place, reference_part in enumerate(reference):
                        other = os.path.join(folder, paths[place])
                        if is_finished(other) and contents(other) != reference_part:
                            complain(f"{name}: {paths[place]} looks finished and has other bytes")
                time.sleep(0.002)
            last = run(merge, folder)
            if last.returncode != 0:
                complain(f"{name}: {last.stderr}")
            if contents(os.path.join(folder, merged)) != whole:
                complain(f"{name}: the merged result has other bytes")
        survived += kills
        remove(os.path.join(folder, name + "-"))
        remove(os.path.join(folder, "merged"))
        print(f"{name}: {kills} kills in {rounds} rounds of {PARTS} parts, {kept} after the part was finished; all merged to the same bytes")
    print(f"{survived} kills survived")

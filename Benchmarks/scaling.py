#!/usr/bin/env python3
"""How the time of a command falls with the ranks that share it, and what is lost to starting, loading and merging.

scaling.py HEADLAMP HEADLAMP-MPI: each rank has one thread; medians of three rounds, configurations in turn. One machine
stands in for nodes, so ranks beyond its cores show the cost of parts, not a gain.
"""
import os, shutil, statistics, subprocess, sys, tempfile, time

command, team = (os.path.abspath(path) for path in sys.argv[1:3])
ROUNDS = 3
PARTS = 8
JOBS = {
    "record": ["record", "ioi", "--position", "each", "--threads", "1"],
    "patch": ["patch", "ioi", "--no-report", "--threads", "1"],
}
SIZES = {"record": 2000, "patch": 800}


def seconds(words, folder):
    start = time.time()
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return time.time() - start


def mpi(ranks):
    return ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--quiet", "-np", str(ranks), team]


print("| work | one process | 1 rank | 2 ranks | 4 ranks | a part of one or two prompts | merge |")
print("|---|---|---|---|---|---|---|")
for name, words in JOBS.items():
    times = {}
    for size, kind in ((SIZES[name], "strong"), (None, "weak")):
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                def keep(key, value):
                    times.setdefault((kind, key), []).append(value)
                if kind == "strong":
                    keep("one", seconds([command, *words, "--examples", str(size), "--output", "one"], folder))
                    # What a part costs before it does anything: its share of so many is a single prompt.
                    few = ["--examples", str(size), "--shard", f"1/{size}", "--output", "nothing"]
                    keep("start", seconds([command, *words, *few], folder))
                for ranks in (1, 2, 4):
                    count = size or SIZES[name] // 4 * ranks
                    out = f"out{ranks}"
                    keep(ranks, seconds(
                        mpi(ranks) + words + ["--examples", str(count), "--output", out, "--parts", str(PARTS)], folder))
                    if kind == "strong" and ranks == 4:
                        end = ".h5" if name == "record" else ""
                        parts = [f"{out}.parts/{part}-of-{PARTS}{end}" for part in range(1, PARTS + 1)]
                        keep("merge", seconds([command, "merge", *parts, "--output", "again"], folder))
    def median(kind, key):
        return f"{statistics.median(times[kind, key]):.2f} s"
    print(f"| {name}, {SIZES[name]} pairs | {median('strong', 'one')} | " + " | ".join(
        median("strong", ranks) for ranks in (1, 2, 4)) + f" | {median('strong', 'start')} | {median('strong', 'merge')} |")
    print(f"| {name}, {SIZES[name] // 4} pairs a rank | | " + " | ".join(
        median("weak", ranks) for ranks in (1, 2, 4)) + " | | |", flush=True)

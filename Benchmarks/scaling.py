#!/usr/bin/env python3
"""How the time of a command falls with the ranks that share it, what is lost to starting, loading and merging, and what a
model of these costs expects of more nodes than there are here.

scaling.py HEADLAMP HEADLAMP-MPI: each rank has one thread; medians of three rounds, configurations in turn. One machine
stands in for nodes, so ranks beyond its cores show the cost of parts, not a gain. Needs numpy.
"""
import json, math, os, statistics, struct, subprocess, sys, tempfile, time

import numpy as np

command, team = (os.path.abspath(path) for path in sys.argv[1:3])
ROUNDS = 3
PARTS = 8
RANKS = (1, 2, 4)
JOBS = {
    "record": (["record", "ioi", "--position", "each", "--threads", "1"], 4000),
    "patch": (["patch", "ioi", "--no-report", "--threads", "1"], 800),
}
FIT_ROWS, FEATURES, ROUNDS_OF_BOOSTING = 2_000_000, 20, 20


def seconds(words, folder):
    start = time.time()
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return time.time() - start


def mpi(ranks):
    return ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--quiet", "-np", str(ranks), team]


def quantised(path, rows):
    """A quantised table of random codes, whose target hangs on three of them."""
    rng = np.random.default_rng(rows)
    codes = rng.integers(0, 255, (FEATURES, rows), dtype=np.uint8)
    score = (codes[0].astype(np.float32) + codes[1] * (codes[2] > 99)) / 255
    target = (score + rng.logistic(size=rows).astype(np.float32) > 0.8).astype(np.float32)
    sampled = np.arange(0, rows, rows // 1000)
    about = {"version": 1, "target": "y", "classes": ["no", "yes"],
             "features": [{"name": f"x{place}", "cuts": [cut + 0.5 for cut in range(254)]} for place in range(FEATURES)]}
    parts = {"sample_rows": ("I64", sampled.astype("<i8")), "sample_cells": ("F32", codes[:, sampled].astype("<f4")),
             "target": ("F32", target.astype("<f4")), "codes": ("U8", codes), "row_codes": ("U8", codes.T.copy())}
    header, end = {"__metadata__": {"headlamp_table": json.dumps(about)}}, 0
    for name, (kind, values) in parts.items():
        header[name] = {"dtype": kind, "shape": values.shape, "data_offsets": [end, end + values.nbytes]}
        end += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, values in parts.values():
            file.write(np.ascontiguousarray(values).tobytes())


def medians(times):
    return {key: statistics.median(values) for key, values in times.items()}


def print_row(name, cells):
    print(f"| {name} | " + " | ".join("" if cell is None else f"{cell:.2f} s" for cell in cells) + " |", flush=True)


def in_parts(name):
    """Medians of a command that works in parts: one process, strong and weak by ranks, a part of nothing, merging."""
    words, size = JOBS[name]
    times = {}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            def keep(key, value):
                times.setdefault(key, []).append(value)
            keep("one", seconds([command, *words, "--examples", str(size), "--output", "one"], folder))
            # What a part costs before it does anything: its share of so many is a single prompt. Of a quarter as many too,
            # which shows how that grows with the prompts, all of which a part draws.
            for total in (size, size // 4):
                few = ["--examples", str(total), "--shard", f"1/{total}", "--output", f"nothing{total}"]
                keep(("start", total), seconds([command, *words, *few], folder))
            for kind in ("strong", "weak"):
                for ranks in RANKS:
                    count = size if kind == "strong" else size // 4 * ranks
                    out = f"{kind}{ranks}"
                    own = ["--examples", str(count), "--output", out, "--parts", str(PARTS)]
                    keep((kind, ranks), seconds(mpi(ranks) + words + own, folder))
            end = ".h5" if name == "record" else ""
            parts = [f"strong4.parts/{part}-of-{PARTS}{end}" for part in range(1, PARTS + 1)]
            keep("merge", seconds([command, "merge", *parts, "--output", "again"], folder))
            keep("mpirun", seconds(mpi(4) + ["--help"], folder))
    found = medians(times)
    print_row(f"{name}, {size} pairs", [found["one"]] + [found["strong", ranks] for ranks in RANKS]
              + [found["start", size], found["merge"]])
    print_row(f"{name}, {size // 4} pairs a rank",
              [None] + [found["weak", ranks] for ranks in RANKS] + [found["start", size // 4], None])
    return found


def fitting():
    """Medians of fitting a quantised table, strong and weak by ranks."""
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        sizes = {FIT_ROWS} | {FIT_ROWS // 4 * ranks for ranks in RANKS}
        for rows in sizes:
            quantised(f"{folder}/{rows}.safetensors", rows)
        own = ["--trees", str(ROUNDS_OF_BOOSTING), "--json", "--threads", "1"]
        for _ in range(ROUNDS):
            def keep(key, value):
                times.setdefault(key, []).append(value)
            keep("one", seconds([command, "fit", f"{FIT_ROWS}.safetensors", *own], folder))
            for ranks in RANKS:
                keep(("strong", ranks), seconds(mpi(ranks) + ["fit", f"{FIT_ROWS}.safetensors", *own], folder))
                keep(("weak", ranks), seconds(
                    mpi(ranks) + ["fit", f"{FIT_ROWS // 4 * ranks}.safetensors", *own], folder))
            for rows in (FIT_ROWS, FIT_ROWS // 4):
                keep(("few", rows), seconds([command, "fit", f"{rows}.safetensors", "--trees", "1", *own[2:]], folder))
    found = medians(times)
    print_row(f"fit, {FIT_ROWS:,} × {FEATURES}, {ROUNDS_OF_BOOSTING} rounds",
              [found["one"]] + [found["strong", ranks] for ranks in RANKS] + [found["few", FIT_ROWS], None])
    print_row(f"fit, {FIT_ROWS // 4:,} rows a rank",
              [None] + [found["weak", ranks] for ranks in RANKS] + [None, None])
    return found


def expected_parts(found, size, prompts, parts_per_node, nodes):
    """Seconds for so many prompts by so many nodes of one thread each, part by part: what one node does before, in and
    after its parts."""
    slope = max(0, (found["start", size] - found["start", size // 4]) / (size - size // 4))
    start = found["start", size] - slope * size + slope * prompts
    work = (found["one"] - found["start", size]) / size
    merge = found["merge"] / (size * PARTS) * prompts * PARTS
    mine = prompts / nodes * work
    return found["mpirun"] + parts_per_node * start + mine + merge, parts_per_node * start, mine, merge


def expected_fit(found, rows, rounds, nodes, latency=30e-6, bandwidth=1e9):
    """Seconds for a fit: rows shared, histograms of a level summed in a tree of nodes and sent back."""
    a_round = (found["one"] - found["few", FIT_ROWS]) / (ROUNDS_OF_BOOSTING - 1)
    # What does not hang on the rows is starting and measuring.
    slope = (found["few", FIT_ROWS] - found["few", FIT_ROWS // 4]) / (FIT_ROWS - FIT_ROWS // 4) - a_round / FIT_ROWS
    opening = found["few", FIT_ROWS] - a_round + max(0, slope) * (rows - FIT_ROWS)
    mine = rounds * a_round / FIT_ROWS * rows / nodes
    histogram = FEATURES * 256 * 16
    # Depth 6: 1, 1, 2, 4, 8, 16 histograms are summed, each up and down a tree of messages.
    messages = 32 * 2 * math.ceil(math.log2(nodes)) if nodes > 1 else 0
    talk = rounds * messages * (latency + histogram / bandwidth)
    return opening + mine + talk, opening, mine, talk


print("| work | one process | 1 rank | 2 ranks | 4 ranks | a part of one prompt, or one round | merge |")
print("|---|---|---|---|---|---|---|")
results = {name: in_parts(name) for name in JOBS}
fit = fitting()
print()
print("| expected, nodes of one such thread | 1 | 16 | 128 | 1,024 | most of the last |")
print("|---|---|---|---|---|---|")
NODES = (1, 16, 128, 1024)
for name, found in results.items():
    for parts in (4, 1):
        prompts = 100_000
        costs = [expected_parts(found, JOBS[name][1], prompts, parts, nodes) for nodes in NODES]
        words = dict(zip(("starting parts", "the work", "merging"), costs[-1][1:]))
        print(f"| {name}, {prompts:,} pairs, {parts} part{'s' if parts > 1 else ''} a node | "
              + " | ".join(f"{cost[0]:,.0f} s" for cost in costs) + f" | {max(words, key=words.get)} |")
costs = [expected_fit(fit, 100_000_000, 100, nodes) for nodes in NODES]
words = dict(zip(("opening the file", "the work", "summing histograms"), costs[-1][1:]))
print("| fit, 10⁸ × 20, 100 rounds | " + " | ".join(f"{cost[0]:,.0f} s" for cost in costs)
      + f" | {max(words, key=words.get)} |")

"""How results and time depend on the number of threads: one model, one set of prompts, every way to set the number.

usage: threads.py HEADLAMP CACHE_FOLDER [REPEATS]
"""

import os
import statistics
import sys

sys.path.insert(0, os.path.dirname(__file__))
from circuits.works import benchmark_files  # noqa: E402
from measure import run  # noqa: E402


def difference(path, reference):
    """The largest difference of head outputs, as a share of the largest of them."""
    import h5py
    import numpy as np

    with h5py.File(path) as one, h5py.File(reference) as other:
        a, b = one["head_outputs"][:], other["head_outputs"][:]
    return float(np.abs(a - b).max() / np.abs(b).max())


def measure(cache, headlamp, repeats=5):
    """Lines of a Markdown table."""
    model, prompts = benchmark_files(cache)
    cores = os.cpu_count() or 1
    counts = [1]
    while counts[-1] * 2 <= cores:
        counts.append(counts[-1] * 2)
    ways = [(f"--threads {n}", ["--threads", str(n)], {}) for n in counts]
    ways.append(("OPENBLAS_NUM_THREADS=1", [], {"OPENBLAS_NUM_THREADS": "1"}))
    if cores not in counts:
        ways.append(("all cores", [], {}))
    times = {name: [] for name, _, _ in ways}
    paths = {name: os.path.join(cache, "out", f"threads-{index}.h5") for index, (name, _, _) in enumerate(ways)}
    for _ in range(repeats):
        for name, options, environment in ways:
            command = [headlamp, "record", prompts, "--model", model, "--position", "mean", "--output", paths[name]]
            times[name].append(run(command + options, environment)["wall"])
    first = ways[0][0]
    base = statistics.median(times[first])
    lines = [
        "Threads: head outputs of 500 × 16 tokens, GPT-2-small shape; the difference is the largest one from one thread,"
        " as a share of the largest value.",
        "",
        "| set by | seconds (minimum–maximum) | times as fast as one | difference |",
        "|---|---|---|---|",
    ]
    for name, _, _ in ways:
        middle = statistics.median(times[name])
        lines.append(
            f"| `{name}` | {middle:.2f} ({min(times[name]):.2f}–{max(times[name]):.2f}) | {base / middle:.2f} | "
            f"{difference(paths[name], paths[first]):.1g} |")
    for path in paths.values():
        os.remove(path)
    return lines


if __name__ == "__main__":
    headlamp, cache = sys.argv[1:3]
    print("\n".join(measure(cache, headlamp, int(sys.argv[3]) if len(sys.argv) > 3 else 5)))

"""Runs the benchmarks and writes RESULTS.md.

usage: run.py [--quick] [NAME ...]

A NAME is a row of the table, or one of the sections below it: threads, growth, large, experts. --quick takes three runs of each
instead of five and leaves out what takes minutes or much disk space: the authors' procedures, growth and large.
Ours is always the whole process, from start to files on disk. A peer's figure is its own count of the work alone:
imports and model loading are left out of it, unless the row says "whole process".
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import growth  # noqa: E402
import experts  # noqa: E402
import large  # noqa: E402
import threads  # noqa: E402
from circuits import works as circuit_works  # noqa: E402
from measure import alternate, summary  # noqa: E402
from tabular import works as tabular_works  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.path.join(ROOT, ".cache", "benchmarks")
HEADLAMP = os.path.join(ROOT, ".build", "release", "headlamp")
RECORD = os.path.join(CACHE, "results.json")


SECTIONS = [("threads", threads, False), ("growth", growth, True), ("large", large, True), ("experts", experts, True)]


def processor():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.processor()


def versions(area, packages):
    python = os.path.join(CACHE, area, "bin", "python")
    code = "import importlib.metadata as m, sys; print(', '.join(f'{p} {m.version(p)}' for p in sys.argv[1:]))"
    return subprocess.run([python, "-c", code, *packages], capture_output=True, text=True).stdout.strip()


def text(value):
    if value >= 100:
        return f"{value:.0f} s"
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.1f} ms"


def row(work, result):
    cells = [work.title, f"{text(result['ours'])} ({text(result['ours_range'][0])}–{text(result['ours_range'][1])})"]
    if "theirs" in result:
        low, high = result["theirs_range"]
        cells += [f"{text(result['theirs'])} ({text(low)}–{text(high)})", f"{result['ratio']:.1f}×"]
    else:
        cells += ["", ""]
    cells += [work.target, f"{result['ours_mib']:.0f}", f"{result['theirs_mib']:.0f}" if "theirs" in result else ""]
    cells += [f"{result['runs']}/{result.get('their_runs', 0)}", work.note]
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    works = circuit_works.works(CACHE, HEADLAMP) + tabular_works.works(CACHE, HEADLAMP)
    doctor = json.loads(subprocess.run([HEADLAMP, "doctor", "--json"], capture_output=True, text=True).stdout)
    results = {}
    if os.path.exists(RECORD):
        with open(RECORD) as file:
            results = json.load(file)
    for work in works:
        if arguments.names and work.name not in arguments.names:
            continue
        if arguments.quick and work.slow:
            continue
        print(f"{work.name}: {work.title}", flush=True)
        work.prepare()
        runs = min(work.repeats, 3) if arguments.quick else work.repeats
        measured = alternate(work.ours, work.theirs, runs, theirs_repeats=work.their_repeats)
        results[work.name] = summary(measured, work.ours_key, work.theirs_key)
        results[work.name]["date"] = datetime.date.today().isoformat()
        results[work.name]["extra"] = work.extra(measured, doctor)
        print("  " + json.dumps(results[work.name]), flush=True)
        with open(RECORD, "w") as file:
            json.dump(results, file, indent=1)
    for name, section, slow in SECTIONS:
        if (arguments.names and name not in arguments.names) or (arguments.quick and slow):
            continue
        print(name, flush=True)
        circuit_works.benchmark_files(CACHE)
        measured = section.measure(CACHE, HEADLAMP)
        results[name] = {"lines": measured, "date": datetime.date.today().isoformat()}
        print("\n".join(measured), flush=True)
        with open(RECORD, "w") as file:
            json.dump(results, file, indent=1)
    lines = [
        "# What was measured, and when",
        "",
        f"Machine: {processor()}, {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') >> 30} GiB; "
        f"sgemm {doctor['gigaflops']:.0f} GFLOP/s on {doctor['threads']} threads ({doctor['library']}). "
        f"Written {datetime.date.today().isoformat()} by `make bench`.",
        f"Peers: {versions('circuits', ['torch', 'transformers', 'transformer-lens', 'numpy'])}; "
        f"{versions('tabular', ['pandas', 'scikit-learn', 'xgboost', 'lightgbm', 'shap', 'anchor-exp', 'dice-ml', 'numpy'])}.",
        "",
        "Ours and theirs run in turn; figures are medians (minimum–maximum) and ratios are the median of the ratios"
        " pair by pair. Ours is the whole process, start to files on disk. Theirs is the work alone, without imports"
        " and model loading, unless the row says otherwise. Memory is the peak resident size in MiB, mapped weights"
        " included. Runs: ours/theirs.",
        "",
        "| work | ours | theirs | ratio | wanted | our MiB | their MiB | runs | notes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    notes = []
    for work in works:
        if work.name in results:
            lines.append(row(work, results[work.name]))
            if results[work.name]["extra"]:
                notes.append(f"* {work.name}: {results[work.name]['extra']}")
    lines += [""] + notes
    for name, _, _ in SECTIONS:
        if name in results:
            lines += ["", *results[name]["lines"]]
    with open(os.path.join(ROOT, "Benchmarks", "RESULTS.md"), "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

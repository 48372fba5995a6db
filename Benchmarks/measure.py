"""Runs two commands in turn and reports medians, ratios and peak memory."""

import json
import os
import statistics
import subprocess
import threading
import time


def peak_mib(process, ended):
    """The peak resident size of a process, read until it ends.

    The kernel's own account for an ended process (ru_maxrss) begins with what its parent held, so that no child of a
    large program would seem small.
    """
    peak = 0
    while True:
        try:
            with open(f"/proc/{process.pid}/status") as file:
                for line in file:
                    if line.startswith("VmHWM:"):
                        peak = int(line.split()[1])
                        break
        except (FileNotFoundError, ProcessLookupError):
            break
        if ended.wait(0.005):
            break
    return peak / 1024


def run(command, environment=None):
    """One run: wall seconds, peak resident MiB, and the last line of output if it is JSON."""
    env = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    env.update(environment or {})
    peaks, ended = [], threading.Event()
    started = time.perf_counter()
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        watcher = threading.Thread(target=lambda: peaks.append(peak_mib(process, ended)))
        watcher.start()
        output = process.stdout.read()
        process.wait()
    wall = time.perf_counter() - started
    ended.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    lines = output.strip().splitlines()
    try:
        report = json.loads(lines[-1]) if lines else {}
    except ValueError:
        report = {}
    return {"wall": wall, "peak_mib": peaks[0], "report": report if isinstance(report, dict) else {}}


def alternate(ours, theirs, repeats, warmups=1, theirs_repeats=None):
    """Runs `ours` and `theirs` in turn. Theirs counts its own `seconds` (without imports) where it reports them."""
    for _ in range(warmups):
        run(ours)
    results = {"ours": [], "theirs": []}
    for index in range(repeats):
        results["ours"].append(run(ours))
        if theirs and index < (theirs_repeats or repeats):
            results["theirs"].append(run(theirs))
    return results


def seconds(result, key="wall"):
    return result["wall"] if key == "wall" else result["report"].get(key, result["wall"])


def summary(results, ours_key="wall", theirs_key="seconds"):
    ours = [seconds(r, ours_key) for r in results["ours"]]
    theirs = [seconds(r, theirs_key) for r in results["theirs"]]
    row = {
        "ours": statistics.median(ours), "ours_range": [min(ours), max(ours)], "runs": len(ours),
        "ours_mib": max(r["peak_mib"] for r in results["ours"]),
    }
    if theirs:
        row.update({
            "theirs": statistics.median(theirs), "theirs_range": [min(theirs), max(theirs)],
            "theirs_mib": max(r["peak_mib"] for r in results["theirs"]),
            "ratio": statistics.median(t / o for t, o in zip(theirs, ours)), "their_runs": len(theirs),
        })
    return row

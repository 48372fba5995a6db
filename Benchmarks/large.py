"""Models that do not fit: memory and reading rate of recording a Llama shape of eight billion bfloat16 parameters
(16 GB), a GPT-2-XL shape in float16, and a mixture of experts of eleven billion (22 GB), 20 prompts × 16 tokens each.

usage: large.py HEADLAMP CACHE_FOLDER [REPEATS]

The models have random weights; they are written before and deleted after. The files are put out of the page cache
(posix_fadvise) before each run and before their own reading rate is measured, which is one pass of read() over all of
them in order.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES = [
    ("llama-8b", "Llama shape, 8 billion parameters, bfloat16"),
    ("gpt2-xl-half", "GPT-2-XL shape, float16"),
    ("qwen3-moe-11b", "Qwen 3 with experts, 11 billion parameters, bfloat16"),
]
NEEDED = {"llama-8b": 17 << 30, "gpt2-xl-half": 4 << 30, "qwen3-moe-11b": 24 << 30}


def weights(folder):
    return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".safetensors"))


def forget(paths):
    """Puts files out of the page cache."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def read_all(paths):
    """Seconds that one pass over the files takes."""
    buffer = bytearray(8 << 20)
    started = time.perf_counter()
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    return time.perf_counter() - started


def watched(command):
    """Wall seconds and the peaks of anonymous and of all resident memory, in MiB, sampled every 20 ms."""
    env = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    peaks = {"RssAnon": 0, "VmHWM": 0}
    started = time.perf_counter()
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as file:
                for line in file:
                    name, _, rest = line.partition(":")
                    if name in peaks:
                        peaks[name] = max(peaks[name], int(rest.split()[0]) / 1024)
        except (FileNotFoundError, ProcessLookupError):
            break
        time.sleep(0.02)
    if process.wait():
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - started, peaks["RssAnon"], peaks["VmHWM"]


def measure(cache, headlamp, repeats=3):
    """Lines of a Markdown table."""
    prompts = os.path.join(cache, "prompts-20x16.jsonl")
    subprocess.run([sys.executable, os.path.join(HERE, "circuits", "make_prompts.py"), "20", "16", prompts], check=True)
    os.makedirs(os.path.join(cache, "out"), exist_ok=True)
    output = os.path.join(cache, "out", "large.h5")
    lines = [
        "Large models: 20 prompts × 16 tokens, weights not in the page cache; anonymous memory is what the process"
        " allocates, resident memory includes pages of the mapped file.",
        "",
        "| model | weights | record (minimum–maximum) | the files read alone | share of that rate | anonymous | resident |",
        "|---|---|---|---|---|---|---|",
    ]
    for shape, title in SHAPES:
        folder = os.path.join(cache, shape)
        needed = NEEDED[shape]
        if not os.path.exists(folder) and shutil.disk_usage(cache).free < needed + (4 << 30):
            lines.append(f"| {title} | not enough disk space for {needed >> 30} GB | | | | | |")
            continue
        subprocess.run([sys.executable, os.path.join(HERE, "circuits", "make_models.py"), shape, folder], check=True)
        try:
            files = weights(folder)
            size = sum(os.path.getsize(path) for path in files)
            seconds, reading, anonymous, resident = [], [], [], []
            for _ in range(repeats):
                forget(files)
                reading.append(read_all(files))
                forget(files)
                wall, anon, peak = watched(
                    [headlamp, "record", prompts, "--model", folder, "--position", "mean", "--output", output])
                seconds.append(wall)
                anonymous.append(anon)
                resident.append(peak)
            middle, alone = statistics.median(seconds), statistics.median(reading)
            lines.append(
                f"| {title} | {size / 1e9:.2f} GB | {middle:.1f} s ({min(seconds):.1f}–{max(seconds):.1f}) | "
                f"{alone:.1f} s, {size / alone / 1e9:.2f} GB/s | {100 * alone / middle:.0f} % | "
                f"{max(anonymous):.0f} MiB | {max(resident):.0f} MiB |")
        finally:
            shutil.rmtree(folder)
    if os.path.exists(output):
        os.remove(output)
    return lines


if __name__ == "__main__":
    headlamp, cache = sys.argv[1:3]
    print("\n".join(measure(cache, headlamp, int(sys.argv[3]) if len(sys.argv) > 3 else 3)))

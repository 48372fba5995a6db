"""How much of a mixture of experts is read for a prompt of a few tokens: pages of its files that the kernel holds afterwards.

usage: experts.py HEADLAMP CACHE_FOLDER

The model has random weights (Qwen 3 with experts, two layers of 128 experts, bfloat16); it is written before and deleted
after. Its files are put out of the page cache (posix_fadvise) before each run, and the pages that `headlamp check --scores`
has brought back are counted (mincore) by what they hold. The kernel reads ahead, so that some pages come with those that
were asked for. Commands that write a model's checksum into their results read all files once for that.
"""

import ctypes
import json
import mmap
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "circuits"))
from large import forget, weights  # noqa: E402

LAYERS, LENGTHS = 2, [1, 2, 4, 16, 64]
libc = ctypes.CDLL(None, use_errno=True)


def held_pages(path):
    """A byte for every page of a file, odd where the page is in memory."""
    size = os.path.getsize(path)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ | mmap.PROT_WRITE,
                                             flags=mmap.MAP_PRIVATE) as mapping:
        pages = (ctypes.c_ubyte * ((size + mmap.PAGESIZE - 1) // mmap.PAGESIZE))()
        anchor = ctypes.c_char.from_buffer(mapping)
        failed = libc.mincore(ctypes.c_void_p(ctypes.addressof(anchor)), ctypes.c_size_t(size), pages)
        del anchor
        if failed:
            raise OSError(ctypes.get_errno(), "mincore")
        return bytes(pages)


def expert_bytes(paths):
    """Bytes of experts that are held, bytes of all, experts of which the middle is held, and their number."""
    held, total, experts = 0, 0, {}
    for path in paths:
        pages = held_pages(path)
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        for name, entry in header.items():
            if ".experts." not in name:
                continue
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            total += end - start
            run = pages[start // mmap.PAGESIZE:(end - 1) // mmap.PAGESIZE + 1]
            held += min(end - start, sum(page & 1 for page in run) * mmap.PAGESIZE)
            experts.setdefault(name.rsplit(".", 2)[0], []).append(run[len(run) // 2] & 1)
    return held, total, sum(all(parts) for parts in experts.values()), len(experts)


def measure(cache, headlamp):
    """Lines of a Markdown table."""
    from make_models import mixture

    folder = os.path.join(cache, "qwen3-moe-2-layers")
    os.makedirs(cache, exist_ok=True)
    prompts = os.path.join(cache, "few-tokens.jsonl")
    lines = [
        "A mixture of experts in bfloat16, weights not in the page cache: what of its experts is there after `headlamp check"
        " --scores` on one prompt (`Benchmarks/experts.py`); the kernel reads ahead.", "",
        "| tokens | experts read, of two layers | bytes of experts read | of |", "|---|---|---|---|"]
    try:
        mixture(folder, layers=LAYERS)
        files = weights(folder)
        experts = [path for path in files if path.rsplit("-", 1)[1][:2].isdigit()][:LAYERS]
        for length in LENGTHS:
            with open(prompts, "w") as file:
                tokens = [(7919 * place) % 50000 for place in range(1, length + 1)]
                file.write(json.dumps({"tokens": tokens, "label": 1, "answer": 3}) + "\n")
            forget(files)
            subprocess.run([headlamp, "check", prompts, "--model", folder, "--scores"],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            held, total, used, count = expert_bytes(experts)
            lines.append(f"| {length} | {used} of {count} | {held / 1e6:.0f} MB, {100 * held / total:.0f} % | {total / 1e6:.0f} MB |")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return lines


if __name__ == "__main__":
    headlamp, cache = sys.argv[1:3]
    print("\n".join(measure(cache, headlamp)))

"""Circuit discovery beside PyTorch and TransformerLens."""

import json
import os
import shutil
import statistics
import subprocess
import sys

from work import Work

HERE = os.path.dirname(os.path.abspath(__file__))


def useful_flops(prompts, length, layers=12, width=768, inner=3072):
    """Multiply-adds counted twice: all layers' products without the last layer's MLP, head results on means."""
    tokens = prompts * length
    attention = 2 * tokens * width * 3 * width + 2 * tokens * width * width
    scores = 4 * prompts * length * length * width
    mlp = 4 * tokens * width * inner
    last = 2 * tokens * width * 3 * width + scores
    means = 2 * prompts * layers * width * width
    return (layers - 1) * (attention + scores + mlp) + last + means


def benchmark_files(cache):
    """The model of GPT-2 small's shape and 500 prompts of 16 random tokens; made where they are missing."""
    python = os.path.join(cache, "circuits", "bin", "python")
    model = os.path.join(cache, "gpt2-small")
    prompts = os.path.join(cache, "prompts-500x16.jsonl")
    os.makedirs(os.path.join(cache, "out"), exist_ok=True)
    if not os.path.exists(os.path.join(model, "model.safetensors")):
        subprocess.run([python, os.path.join(HERE, "make_models.py"), "gpt2-small", model], check=True)
    if not os.path.exists(prompts):
        subprocess.run([sys.executable, os.path.join(HERE, "make_prompts.py"), "500", "16", prompts], check=True)
    return model, prompts


def task_files(cache, headlamp):
    """Gives the model a word-level tokenizer of the bundled task `ioi`, and a peer the task's prompts as token ids."""
    model, _ = benchmark_files(cache)
    out = os.path.join(cache, "out")
    if not os.path.exists(os.path.join(model, "tokenizer.json")):
        words = os.path.join(out, "words")
        shutil.rmtree(words, ignore_errors=True)
        subprocess.run([headlamp, "train-model", "ioi", "--output", words, "--steps", "1", "--pairs", "64",
                        "--d-model", "16", "--layers", "1", "--heads", "1"], check=True)
        shutil.copy(os.path.join(words, "tokenizer.json"), model)
    recording = os.path.join(out, "ioi.h5")
    subprocess.run([headlamp, "record", "ioi", "--model", model, "--position", "mean", "--output", recording], check=True)
    import h5py

    with h5py.File(recording) as file, open(os.path.join(cache, "prompts-ioi.jsonl"), "w") as prompts:
        for tokens, length, label in zip(file["tokens"][:], file["lengths"][:], file["labels"][:]):
            prompts.write(json.dumps({"tokens": tokens[:length].tolist(), "label": int(label)}) + "\n")


def works(cache, headlamp):
    python = os.path.join(cache, "circuits", "bin", "python")
    model = os.path.join(cache, "gpt2-small")
    prompts = os.path.join(cache, "prompts-500x16.jsonl")
    task_prompts = os.path.join(cache, "prompts-ioi.jsonl")
    out = os.path.join(cache, "out")
    peer = [python, os.path.join(HERE, "peer.py")]

    def files():
        benchmark_files(cache)

    def task():
        task_files(cache, headlamp)

    def recording():
        files()
        if not os.path.exists(os.path.join(out, "ten.h5")):
            short = os.path.join(cache, "prompts-10x16.jsonl")
            subprocess.run([sys.executable, os.path.join(HERE, "make_prompts.py"), "10", "16", short], check=True)
            subprocess.run([headlamp, "record", short, "--model", model, "--position", "mean",
                            "--output", os.path.join(out, "ten.h5")], check=True)

    def ranked():
        recording()
        subprocess.run([headlamp, "record", prompts, "--model", model, "--position", "mean",
                        "--output", os.path.join(out, "all.h5")], check=True)
        subprocess.run([headlamp, "train", os.path.join(out, "all.h5"), "--protocol", "paper",
                        "--output", os.path.join(out, "all.safetensors")], check=True)

    def rate(measured, doctor):
        seconds = statistics.median(r["wall"] for r in measured["ours"])
        reached = useful_flops(500, 16) / seconds / 1e9
        return (f"{reached:.0f} useful GFLOP/s over the whole process, "
                f"{100 * reached / doctor['gigaflops']:.0f} % of this machine's sgemm rate")

    def whole(measured, doctor):
        seconds = statistics.median(r["wall"] for r in measured["ours"])
        return f"{seconds:.2f} s for the whole process: reading, encoding, both rankings and files"

    record = [headlamp, "record", prompts, "--model", model, "--position", "mean",
              "--output", os.path.join(out, "record.h5")]
    discover = [headlamp, "discover", prompts, "--model", model, "--protocol", "paper", "--position", "mean",
                "--output", os.path.join(out, "discover")]
    attributed = os.path.join(cache, "prompts-100x16.jsonl")
    attribution_peer = [python, os.path.join(HERE, "attribution_peer.py")]

    def pairs():
        files()
        if not os.path.exists(attributed):
            subprocess.run([sys.executable, os.path.join(HERE, "make_prompts.py"), "100", "16", attributed], check=True)

    def attribution(method, title, target, **more):
        return Work("attribute-" + method, title, [headlamp, "attribute", attributed, "--model", model, "--method", method,
                                                    "--output", os.path.join(out, "attributed")],
                    attribution_peer + [method, model, attributed], target, prepare=pairs, repeats=3, **more)

    return [
        attribution("eap", "edge attribution patching, GPT-2-small shape, 50 pairs × 16 tokens; PyTorch autograd", "2×"),
        attribution("eap-ig-inputs", "EAP-IG in 5 steps, the same", "2×"),
        attribution("patching", "exact patching of all heads and MLPs, the same; peer: heads by hooks in a loop", "3×",
                    slow=True, their_repeats=1),
        Work("record", "head outputs, mean over positions, GPT-2-small shape, 500 × 16 tokens; peer at its best",
             record, peer + ["record-best", model, prompts], "2.5×", prepare=files, extra=rate),
        Work("record-task", "the same on the 500 prompts of the bundled task ioi, whose beginnings are shared",
             [headlamp, "record", "ioi", "--model", model, "--position", "mean",
              "--output", os.path.join(out, "record-ioi.h5")],
             peer + ["record-best", model, task_prompts], "2.5×", prepare=task,
             note="ours: prompts made from the task's templates and tokenized too, by a vocabulary of words"),
        Work("record-authors", "the same, the authors' procedure", record, peer + ["record-authors", model, prompts],
             "25×", prepare=files, slow=True, their_repeats=2),
        Work("autoencoder", "autoencoder, 10 examples × 144 heads × 768, 200 features, 500 epochs",
             [headlamp, "train", os.path.join(out, "ten.h5"), "--protocol", "paper",
              "--output", os.path.join(out, "ten.safetensors")],
             peer + ["autoencoder", model, prompts], "8×", prepare=recording),
        Work("pairs", "pair scores, 500 examples × 144 heads × 200 codes, dense arrays",
             [headlamp, "rank", os.path.join(out, "all.h5"), "--autoencoder", os.path.join(out, "all.safetensors"),
              "--protocol", "paper", "--output", os.path.join(out, "ranked"), "--timings"],
             peer + ["pairs", model, prompts], "1,000×", ours_key="score_seconds", prepare=ranked, slow=True,
             their_repeats=1, extra=whole,
             note="ours: head and pair scores of a recording's codes, counted by `rank` itself; memory is the whole process's"),
        Work("discover", "discover, process start to files; best PyTorch script, import included (whole process)",
             discover, peer + ["discover-best", model, prompts, os.path.join(out, "peer.csv")], "4×",
             theirs_key="wall", prepare=files),
        Work("discover-task", "discover ioi, process start to files; best PyTorch script, import included (whole process)",
             [headlamp, "discover", "ioi", "--model", model, "--protocol", "paper", "--position", "mean",
              "--output", os.path.join(out, "discover-ioi")],
             peer + ["discover-best", model, task_prompts, os.path.join(out, "peer.csv")], "4×",
             theirs_key="wall", prepare=task, note="protocol paper; ours: prompts made and tokenized too, by a vocabulary of words"),
        Work("discover-authors", "discover; the authors' own procedure (whole process)",
             discover, peer + ["discover-authors", model, prompts], "100×", theirs_key="wall", prepare=files,
             slow=True, their_repeats=1),
        Work("start", "start-up, --help; import torch (whole process)", [headlamp, "--help"],
             [python, "-c", "import torch"], "15 ms", theirs_key="wall", repeats=11),
    ]

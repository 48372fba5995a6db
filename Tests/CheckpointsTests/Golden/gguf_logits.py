"""Logits of GGUF files, beside those of another program on the same file.

    python gguf_logits.py HEADLAMP FOLDER [llama.cpp | transformers]

Writes small models of several architectures and formats into FOLDER, has the other program read each file itself and
answer two prompts, and lets `headlamp verify` compare all logits. llama.cpp comes with PyPI's llama-cpp-python; it also
rounds what matrices are multiplied with (to 8 bits beside 8 and 4 bits, to 16 beside 16), so that quantised files differ by
a share of the largest logit, which is shown. transformers widens every matrix by PyPI's gguf package, as this program does.
(gguf, numpy, safetensors; torch and transformers, or llama-cpp-python, from PyPI.)
"""
import os
import subprocess
import sys

import gguf
import numpy
from gguf import GGMLQuantizationType as Q
from safetensors.numpy import save_file

LAYERS, HEADS, GROUPS, D, MLP, V, CONTEXT = 2, 4, 2, 256, 256, 64, 64
ARCHITECTURES = ["llama", "qwen2", "qwen3", "gemma2"]
PROMPTS = [[3, 9, 27, 5, 1, 44, 60], [8, 2, 63, 17]]
# The largest difference that passes, as a share of the largest logit; what llama.cpp rounds is shown, and fails only where
# it is gross.
SHARE = {"transformers": 1e-4, "llama.cpp": 5e-2}


def packed(kind, shape, rng):
    """Random parameters of a format: rounded by the package, or random blocks where it cannot write them."""
    if kind not in (Q.Q4_K, Q.Q6_K):
        return gguf.quants.quantize(rng.normal(0, 0.06, shape).astype(numpy.float32), kind)
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    count = shape[0] * shape[1] // elements
    raw = rng.integers(0, 256, (count, size), dtype=numpy.uint8)
    for place, scale in {Q.Q4_K: [(0, 2e-4), (2, 1e-3)], Q.Q6_K: [(208, 2e-5)]}[kind]:
        raw[:, place:place + 2] = rng.normal(0, scale, (count, 1)).astype(numpy.float16).view(numpy.uint8)
    return raw.reshape(shape[0], -1)


def write(path, architecture, kind):
    rng = numpy.random.default_rng(11)
    # transformers has one width of heads and one factor on scores for these, whatever the file says.
    dh = {"qwen3": 128, "gemma2": 256}.get(architecture, 64)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(D)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_key_length(dh)
    writer.add_value_length(dh)
    writer.add_rope_dimension_count(dh)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(V)
    writer.add_tokenizer_model("none")
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(50.0)
        writer.add_final_logit_softcapping(30.0)
        writer.add_sliding_window(32)

    def matrix(name, rows, columns):
        raw = packed(kind, (rows, columns), rng)
        writer.add_tensor(name + ".weight", raw, raw_dtype=kind)

    def gain(name, width=D):
        writer.add_tensor(name + ".weight", (1 + rng.normal(0, 0.2, width)).astype(numpy.float32))

    matrix("token_embd", V, D)
    for layer in range(LAYERS):
        b = f"blk.{layer}."
        gain(b + "attn_norm")
        gain(b + "ffn_norm")
        for name, rows in (("attn_q", HEADS * dh), ("attn_k", GROUPS * dh), ("attn_v", GROUPS * dh)):
            matrix(b + name, rows, D)
            if architecture == "qwen2":
                writer.add_tensor(f"{b}{name}.bias", rng.normal(0, 0.2, rows).astype(numpy.float32))
        matrix(b + "attn_output", D, HEADS * dh)
        if architecture == "qwen3":
            gain(b + "attn_q_norm", dh)
            gain(b + "attn_k_norm", dh)
        if architecture == "gemma2":
            gain(b + "post_attention_norm")
            gain(b + "post_ffw_norm")
        matrix(b + "ffn_gate", MLP, D)
        matrix(b + "ffn_up", MLP, D)
        matrix(b + "ffn_down", D, MLP)
    gain("output_norm")
    if architecture != "gemma2":
        matrix("output", V, D)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def by_llama_cpp(path):
    from llama_cpp import Llama

    model = Llama(model_path=path, n_ctx=CONTEXT, logits_all=True, verbose=False, n_gpu_layers=0)
    logits = []
    for ids in PROMPTS:
        model.reset()
        model.eval(ids)
        logits.append(numpy.array(model.scores[:len(ids)], dtype=numpy.float32))
    return logits


def by_transformers(path):
    import torch
    from transformers import AutoModelForCausalLM

    folder, name = os.path.split(path)
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=name, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        return [model(torch.tensor([ids])).logits[0].numpy() for ids in PROMPTS]


def main():
    headlamp, folder = sys.argv[1:3]
    other = sys.argv[3] if len(sys.argv) > 3 else "llama.cpp"
    os.makedirs(folder, exist_ok=True)
    failed = 0
    for architecture in ARCHITECTURES:
        for kind in (Q.F32, Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q4_K, Q.Q6_K):
            path = os.path.abspath(os.path.join(folder, f"{architecture}-{kind.name}.gguf"))
            write(path, architecture, kind)
            logits = (by_llama_cpp if other == "llama.cpp" else by_transformers)(path)
            width, size = max(map(len, PROMPTS)), max(abs(x).max() for x in logits)
            pad = lambda rows: numpy.stack([numpy.pad(x, [(0, width - len(x))] + [(0, 0)] * (x.ndim - 1)) for x in rows])
            reference = path + ".safetensors"
            save_file({"input_ids": pad([numpy.array(x, dtype=numpy.int64) for x in PROMPTS]),
                       "attention_mask": pad([numpy.ones(len(x), dtype=numpy.int64) for x in PROMPTS]),
                       "logits": pad(logits)}, reference)
            tolerance = SHARE[other] * size
            run = subprocess.run([headlamp, "verify", path, "--against", reference, "--tolerance", f"{tolerance:.3g}"],
                                 capture_output=True, text=True)
            line = next((x for x in run.stdout.splitlines() if x.startswith("logits")), run.stderr.strip())
            print(f"{architecture} {kind.name}: {'within' if run.returncode == 0 else 'NOT within'} {tolerance:.2g} "
                  f"(largest logit {size:.3g}): {' '.join(line.split())}")
            failed += run.returncode != 0
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

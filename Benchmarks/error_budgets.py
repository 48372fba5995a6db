#!/usr/bin/env python3
"""Largest differences between headlamp's float32 activations and float64 ones, by family and kind of activation.

Random models of each family are made by Hugging Face transformers, run there in float64 with eager attention, and
compared by `headlamp verify` at every prompt, position and layer. Differences are given relative to the largest value of
their activation. Prints the table of docs/errors.md.

    python3 Benchmarks/error_budgets.py .build/release/headlamp
"""
import argparse, os, re, subprocess, sys, tempfile

import torch
import transformers
from safetensors.torch import save_file

parser = argparse.ArgumentParser()
parser.add_argument("headlamp")
parser.add_argument("--seeds", type=int, default=3)
options = parser.parse_args()
command = os.path.abspath(options.headlamp)

small = dict(num_hidden_layers=4, num_attention_heads=8, hidden_size=128, vocab_size=500, max_position_embeddings=128)
gated = dict(small, intermediate_size=352, num_key_value_heads=4)
FAMILIES = {
    "gpt2": (transformers.GPT2Config, dict(n_layer=4, n_head=8, n_embd=128, n_positions=128, vocab_size=500)),
    "gpt2, 12 × 12 heads, d 768": (transformers.GPT2Config, dict(n_layer=12, n_head=12, n_embd=768, n_positions=128, vocab_size=5000)),
    "gpt_neo": (transformers.GPTNeoConfig, dict(
        num_layers=4, num_heads=8, hidden_size=128, vocab_size=500, max_position_embeddings=128, window_size=16,
        attention_types=[[["global", "local"], 2]])),
    "gpt_neox": (transformers.GPTNeoXConfig, dict(small, intermediate_size=512)),
    "llama": (transformers.LlamaConfig, gated),
    "mistral": (transformers.MistralConfig, dict(gated, sliding_window=16)),
    "qwen2": (transformers.Qwen2Config, gated),
    "qwen3": (transformers.Qwen3Config, dict(gated, head_dim=16)),
    "gemma2": (transformers.Gemma2Config, dict(gated, head_dim=16, query_pre_attn_scalar=16, sliding_window=16)),
    "gemma3_text": (transformers.Gemma3TextConfig, dict(gated, head_dim=16, query_pre_attn_scalar=16, sliding_window=16)),
}
KINDS = ["pattern", "z", "mlp_out", "resid_post", "final_norm", "logits"]


def modules(model, kind):
    """The attention and MLP modules of every layer."""
    body = getattr(model, "transformer", None) or getattr(model, "gpt_neox", None) or model.model
    layers = getattr(body, "h", None) or body.layers
    norm = getattr(body, "ln_f", None) or getattr(body, "final_layer_norm", None) or body.norm
    return layers, norm


def output_projection(layer):
    attention = getattr(layer, "attn", None) or getattr(layer, "attention", None) or layer.self_attn
    inner = getattr(attention, "attention", attention)
    for name in ("c_proj", "out_proj", "dense", "o_proj"):
        if hasattr(inner, name):
            return inner, getattr(inner, name)
    raise SystemExit("no output projection")


def reference(model, ids):
    kept = {"input_ids": ids}
    layers, norm = modules(model, None)
    handles = []
    heads = model.config.num_attention_heads

    def keep(name, value):
        kept[name] = value.detach().to(torch.float32).contiguous().clone()

    for index, layer in enumerate(layers):
        _, projection = output_projection(layer)
        handles.append(projection.register_forward_pre_hook(
            lambda _, inputs, i=index: keep(f"blocks.{i}.z", inputs[0].reshape(*inputs[0].shape[:2], heads, -1))))
        handles.append(layer.mlp.register_forward_hook(
            lambda _, inputs, output, i=index: keep(f"blocks.{i}.mlp_out", output)))
        if index + 1 < len(layers):
            handles.append(layer.register_forward_hook(
                lambda _, inputs, output, i=index: keep(
                    f"blocks.{i}.resid_post", output[0] if isinstance(output, tuple) else output)))
    handles.append(norm.register_forward_hook(lambda _, inputs, output: keep("final_norm", output)))
    with torch.no_grad():
        result = model(ids, output_attentions=True)
    for index, pattern in enumerate(result.attentions):
        keep(f"blocks.{index}.pattern", pattern)
    keep("logits", result.logits)
    for handle in handles:
        handle.remove()
    return kept


def measure(kind, settings, seed, folder):
    torch.manual_seed(seed)
    config = kind(**settings, attn_implementation="eager")
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config, name, 0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    # Initial weights say little: norms of one and small matrices. These spread activations as trained ones do.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
            else:
                parameter.mul_(3)
    model.save_pretrained(folder, safe_serialization=True)
    ids = torch.randint(0, config.vocab_size, (4, 64))
    save_file(reference(model.double(), ids), folder + "/reference.safetensors")
    result = subprocess.run(
        [command, "verify", folder, "--against", folder + "/reference.safetensors", "--tolerance", "1000"],
        capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{kind.__name__}: {result.stderr}")
    found = {}
    for line in result.stdout.splitlines():
        match = re.match(r"(\S+)\s+([-+.0-9e]+)\s+([-+.0-9e]+)", line)
        if match:
            name, error, value = match[1].split(".")[-1], float(match[2]), float(match[3])
            found[name] = max(found.get(name, 0), error / value)
    return found


print(f"transformers {transformers.__version__}, torch {torch.__version__}, {options.seeds} seeds\n")
print("| family | " + " | ".join(KINDS) + " |")
print("|---|" + "---|" * len(KINDS))
for name, (kind, settings) in FAMILIES.items():
    worst = {}
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            for key, error in measure(kind, settings, seed, folder).items():
                worst[key] = max(worst.get(key, 0), error)
    print(f"| {name} | " + " | ".join(f"{worst[k]:.1e}" if k in worst else "–" for k in KINDS) + " |", flush=True)

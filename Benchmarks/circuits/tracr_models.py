"""Programs compiled by tracr (Lindner et al. 2023, arXiv 2301.05062) as model folders with prompts.

    python tracr_models.py OUTPUT       (tracr from its public source, with jax, dm-haiku, chex and safetensors from PyPI)

Each folder has the weights in the project's own layout, prompts.jsonl with pairs of prompts of one length, whose answers
are what tracr's own run of the compiled model says at the last place, and heads.json: the heads that the compiler used.
The others have zero weights. The fixtures under Tests/CircuitDiscoveryTests/Golden/tracr are its output.
"""
import json
import os
import random
import sys

import numpy as np
from safetensors.numpy import save_file
from tracr.compiler import compiling, lib
from tracr.rasp import rasp

LETTERS = ["a", "b", "c", "d"]
LENGTH = 5
PAIRS = 16
PROGRAMS = {
    "reverse": lambda: lib.make_reverse(rasp.tokens),
    "sort": lambda: lib.make_sort_unique(rasp.tokens, rasp.tokens),
    "follow": lambda: follow(),
}


def follow():
    """What came after the last token where it stood before: a head that looks one back, then one that looks for it."""
    before = rasp.Select(rasp.indices, rasp.Map(lambda x: x - 1, rasp.indices), rasp.Comparison.EQ)
    previous = rasp.Aggregate(before, rasp.tokens, default=None).named("previous")
    return rasp.Aggregate(rasp.Select(previous, rasp.tokens, rasp.Comparison.EQ), rasp.tokens).named("follow")


def weights(model):
    c, p = model.model_config, model.params
    heads, width = c.num_heads, c.key_size
    d = p["token_embed"]["embeddings"].shape[1]
    out = {"embed.W_E": p["token_embed"]["embeddings"], "pos_embed.W_pos": p["pos_embed"]["embeddings"]}
    for layer in range(c.num_layers):
        name, attn = f"blocks.{layer}.", f"transformer/layer_{layer}/attn/"
        for kind, letter in (("query", "Q"), ("key", "K"), ("value", "V")):
            out[name + f"attn.W_{letter}"] = np.array(p[attn + kind]["w"]).reshape(d, heads, width).transpose(1, 0, 2)
            out[name + f"attn.b_{letter}"] = np.array(p[attn + kind]["b"]).reshape(heads, width)
        out[name + "attn.W_O"] = np.array(p[attn + "linear"]["w"]).reshape(heads, width, d)
        out[name + "attn.b_O"] = p[attn + "linear"]["b"]
        mlp = f"transformer/layer_{layer}/mlp/"
        out[name + "mlp.W_in"], out[name + "mlp.b_in"] = p[mlp + "linear_1"]["w"], p[mlp + "linear_1"]["b"]
        out[name + "mlp.W_out"], out[name + "mlp.b_out"] = p[mlp + "linear_2"]["w"], p[mlp + "linear_2"]["b"]
    # The output's directions, one a value, at the ids of the tokens they stand for.
    ids = model.input_encoder.encoding_map
    values = model.output_encoder.encoding_map
    unembed = np.zeros((d, len(ids)))
    label = next(text for text in model.residual_labels if text.rsplit(":", 1)[0].startswith(model.name))
    prefix = label.rsplit(":", 1)[0]
    for value in values:
        if value in ids:
            unembed[model.residual_labels.index(f"{prefix}:{value}"), ids[value]] = 10
    out["unembed.W_U"] = unembed
    return {k: np.ascontiguousarray(np.array(v), dtype=np.float32) for k, v in out.items()}


def write(folder, name, program):
    os.makedirs(folder, exist_ok=True)
    random.seed(7)
    model = compiling.compile_rasp_to_model(program, vocab=set(LETTERS), max_seq_len=LENGTH, compiler_bos="BOS")
    object.__setattr__(model, "name", program.label)
    tensors = weights(model)
    c = model.model_config
    save_file(tensors, f"{folder}/model.safetensors")
    config = {
        "model_type": "headlamp", "d_vocab": tensors["embed.W_E"].shape[0], "n_ctx": tensors["pos_embed.W_pos"].shape[0],
        "n_layers": c.num_layers, "n_heads": c.num_heads, "d_model": tensors["embed.W_E"].shape[1], "d_head": c.key_size,
        "d_mlp": c.mlp_hidden_size, "act_fn": "relu", "normalization_type": None,
        "attention_dir": "causal" if c.causal else "bidirectional", "positional_embedding_type": "standard",
    }
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file, indent=1)
    used = [[l, h] for l in range(c.num_layers) for h in range(c.num_heads)
            if np.abs(tensors[f"blocks.{l}.attn.W_O"][h]).max() > 0]
    with open(f"{folder}/heads.json", "w") as file:
        json.dump(used, file)
    ids, lines, seen = model.input_encoder.encoding_map, [], set()
    while len(lines) < 2 * PAIRS:
        draw, other = random.sample(LETTERS, 4), random.sample(LETTERS, 4)
        if name == "sort":
            draw, other = draw[:3], other[:3]
        if name == "follow":
            draw, other = draw + draw[:1], draw[:1] + other[1:] + draw[:1]
            if len(set(other[:4])) < 4:
                continue
        answers = [model.apply(["BOS"] + s).decoded[-1] for s in (draw, other)]
        if answers[0] == answers[1] or tuple(draw + other) in seen or not all(a in ids for a in answers):
            continue
        seen.add(tuple(draw + other))
        pair = len(lines) // 2
        tokens = [[ids[t] for t in ["BOS"] + s] for s in (draw, other)]
        right, wrong = ids[answers[0]], ids[answers[1]]
        lines.append({"tokens": tokens[0], "label": 1, "pair": pair, "answer": right, "wrong": [wrong]})
        lines.append({"tokens": tokens[1], "label": 0, "pair": pair})
    with open(f"{folder}/prompts.jsonl", "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    print(name, config["n_layers"], "layers of", config["n_heads"], "heads; used:", used)


if __name__ == "__main__":
    for name, make in PROGRAMS.items():
        write(f"{sys.argv[1]}/{name}", name, make())

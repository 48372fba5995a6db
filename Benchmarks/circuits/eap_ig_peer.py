"""Edge scores and circuit scores of the public EAP-IG code beside `headlamp attribute` and `headlamp faithfulness`.

usage: eap_ig_peer.py EAP_IG_CLONE HEADLAMP FOLDER

EAP_IG_CLONE is a clone of github.com/hannamw/EAP-IG (read at 795f560); it runs on transformer_lens 2.18 with transformers
4.57. A GPT-2 layout of three layers with random weights, 40 pairs of prompts of 9 tokens. Both sides get the same model
folder, prompts and circuit file. Prints, for each method, the largest difference of an edge's score over the largest score,
and the differences of f at every size, CPR and CMD; exits with 1 where scores differ by more than 1e-3 or areas by 1e-6.
The public code asks for a GPU by name; here its tensors are made on the CPU.
"""
import json
import os
import random
import subprocess
import sys

import torch

clone, headlamp, folder = sys.argv[1:4]
sys.path.insert(0, os.path.join(clone, "src"))

from unittest.mock import MagicMock

sys.modules["eap.visualization"] = MagicMock()
original_zeros = torch.zeros
torch.zeros = lambda *shape, device=None, **kind: original_zeros(*shape, device="cpu", **kind)

import transformers
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights

import eap.attribute
import eap.evaluate
from eap.graph import Graph

LAYERS, HEADS, WIDTH, VOCABULARY, LENGTH, PAIRS = 3, 4, 32, 50, 9, 40
SIZES = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1]


def write_inputs():
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(5)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_positions=16, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, initializer_range=.15,
        bos_token_id=0, eos_token_id=0)
    model = transformers.GPT2LMHeadModel(config).eval()
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter, std=.1)
    model.save_pretrained(folder)
    words = [f"w{i}" for i in range(VOCABULARY)]
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(words)}, "unk_token": "w0"}}
    json.dump(tokenizer, open(f"{folder}/tokenizer.json", "w"))
    draw = random.Random(3)
    pairs = []
    with open(f"{folder}/prompts.jsonl", "w") as file:
        for index in range(PAIRS):
            clean = [draw.randrange(1, VOCABULARY) for _ in range(LENGTH)]
            corrupted = list(clean)
            for place in draw.sample(range(LENGTH - 1), 3):
                corrupted[place] = draw.randrange(1, VOCABULARY)
            right, wrong = draw.sample(range(1, VOCABULARY), 2)
            pairs.append((clean, corrupted, (right, wrong)))
            file.write(json.dumps({"tokens": clean, "label": 1, "pair": index, "answer": right, "wrong": wrong}) + "\n")
            file.write(json.dumps({"tokens": corrupted, "label": 0, "pair": index}) + "\n")
    return model, pairs


def hooked(model):
    c = model.config
    config = HookedTransformerConfig(
        n_layers=c.n_layer, d_model=c.n_embd, n_ctx=c.n_positions, d_head=c.n_embd // c.n_head, n_heads=c.n_head,
        d_mlp=4 * c.n_embd, d_vocab=c.vocab_size, act_fn="gelu_new", eps=c.layer_norm_epsilon, normalization_type="LN",
        positional_embedding_type="standard", use_attn_result=True, use_split_qkv_input=True, use_hook_mlp_in=True,
        device="cpu")
    made = HookedTransformer(config)
    made.load_state_dict(convert_gpt2_weights(model, config), strict=False)
    return made.eval()


def tokenize(model, inputs, max_length=None):
    tokens = torch.tensor(inputs)
    return tokens, torch.ones_like(tokens), torch.full((len(inputs),), tokens.shape[1]), tokens.shape[1]


def batches(pairs, size=10):
    return [([p[0] for p in pairs[i:i + size]], [p[1] for p in pairs[i:i + size]],
             torch.tensor([p[2] for p in pairs[i:i + size]])) for i in range(0, len(pairs), size)]


def differences(logits, clean_logits, lengths, labels):
    last = logits[:, -1]
    rows = torch.arange(len(labels))
    return last[rows, labels[:, 0]] - last[rows, labels[:, 1]]


def total(*arguments):
    return differences(*arguments).sum()


def run(*arguments):
    subprocess.run([headlamp, *arguments], check=True, stdout=subprocess.DEVNULL)


def ours(method, *more):
    output = f"{folder}/{method}"
    run("attribute", f"{folder}/prompts.jsonl", "--model", folder, "--method", method, "--output", output, *more)
    edges = json.load(open(f"{output}/circuit.json"))["edges"]
    return {name: edge["score"] for name, edge in edges.items()}


def compare(name, mine, graph):
    theirs = {edge.name: edge.score.item() for edge in graph.edges.values()}
    assert mine.keys() == theirs.keys(), f"{name}: other edges"
    largest = max(abs(v) for v in theirs.values())
    off = max(abs(mine[k] - theirs[k]) for k in theirs) / largest
    print(f"{name:22} {len(mine)} edges, largest difference / largest score {off:.1e}")
    return off


def main():
    source, pairs = write_inputs()
    model = hooked(source)
    rows = batches(pairs)
    for module in (eap.attribute, eap.evaluate):
        module.tokenize_plus = tokenize
    with torch.no_grad():
        tokens = torch.tensor([p[0] for p in pairs])
        print(f"logits of transformer_lens and transformers: {(model(tokens) - source(tokens).logits).abs().max():.1e}")
    steps = 5
    cases = [
        ("eap", (), lambda g: eap.attribute.get_scores_eap(model, g, rows, total, quiet=True)),
        ("eap-ig-inputs", ("--steps", str(steps)),
         lambda g: eap.attribute.get_scores_eap_ig(model, g, rows, total, steps=steps, quiet=True)),
        ("eap-ig-activations", ("--steps", str(steps)),
         lambda g: eap.attribute.get_scores_ig_activations(model, g, rows, total, steps=steps, quiet=True)),
        ("clean-corrupted", (),
         lambda g: eap.attribute.get_scores_clean_corrupted(model, g, rows, total, quiet=True)),
        ("edge-patching", (),
         lambda g: eap.attribute.get_scores_exact(model, g, rows, differences, quiet=True)),
    ]
    worst = 0
    for name, more, work in cases:
        graph = Graph.from_model(model)
        scores = work(graph)
        if name != "edge-patching":
            graph.scores[:] = scores
        worst = max(worst, compare(name, ours(name, *more), graph))

    # One circuit file, both sides: f at MIB's sizes, CPR and CMD.
    off = 0
    for order, more in [("largest", ()), ("greedy", ("--greedy",))]:
        circuit = f"{folder}/eap-ig-inputs/circuit.json"
        run("faithfulness", f"{folder}/prompts.jsonl", "--model", folder, "--circuit", circuit,
            "--output", f"{folder}/faithfulness-{order}", *more)
        mine = json.load(open(f"{folder}/faithfulness-{order}/summary.json"))
        graph = Graph.from_json(circuit)
        baseline = eap.evaluate.evaluate_baseline(model, rows, differences, quiet=True).mean().item()
        empty = eap.evaluate.evaluate_baseline(model, rows, differences, run_corrupted=True, quiet=True).mean().item()
        values = []
        for share in SIZES:
            count = int(share * len(graph.edges))
            if order == "greedy":
                graph.apply_greedy(count, absolute=True)
            else:
                graph.apply_topn(count, absolute=True)
            value = eap.evaluate.evaluate_graph(model, graph, rows, differences, quiet=True).mean().item()
            values.append((value - empty) / (baseline - empty))
        widths = [SIZES[i + 1] - SIZES[i] for i in range(len(SIZES) - 1)]
        cpr = sum(w * (a + b) / 2 for w, a, b in zip(widths, values, values[1:]))
        cmd = sum(w * (abs(1 - a) + abs(1 - b)) / 2 for w, a, b in zip(widths, values, values[1:]))
        print(f"{order}: CPR {cpr:.6f} here {mine['cpr']:.6f}, CMD {cmd:.6f} here {mine['cmd']:.6f}")
        off = max(off, abs(cpr - mine["cpr"]), abs(cmd - mine["cmd"]))
    print(f"largest difference: scores {worst:.1e} of the largest, areas {off:.1e}")
    sys.exit(0 if worst <= 1e-3 and off <= 1e-6 else 1)


main()

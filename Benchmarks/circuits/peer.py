"""The same work as `headlamp`'s, done with PyTorch and TransformerLens, for timing side by side.

usage: peer.py WORK MODEL PROMPTS [FILE]

WORK is one of
  record-best      head outputs, mean over positions: batches of 100, only z kept, averaged before W_O, no unembedding
  record-hooks     the same with Hugging Face's own GPT2Model and a hook before each c_proj
  record-authors   one prompt at a time, every head's result stacked and averaged, as the authors' code does
  autoencoder      10 examples of FILE's head outputs, 200 features, 500 full-batch epochs, Adam (or random outputs)
  pairs            pair scores from dense float64 arrays [heads, heads, codes, codes], as the authors' code does
  discover-best    record-best, autoencoder and set-based scores, CSV at the end
  discover-hooks   record-hooks, autoencoder and set-based scores, CSV at the end
  discover-authors record-authors, autoencoder and pairs

Prints one JSON line: the seconds of the work itself, without imports and without loading the model.
"""

import csv
import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(int(os.environ.get("PEER_THREADS", "2")))
torch.set_grad_enabled(False)


def load_model(folder):
    from safetensors.torch import load_file
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    with open(os.path.join(folder, "config.json")) as file:
        c = json.load(file)
    cfg = HookedTransformerConfig(
        n_layers=c["n_layer"], d_model=c["n_embd"], n_ctx=c["n_positions"], d_head=c["n_embd"] // c["n_head"],
        n_heads=c["n_head"], d_mlp=4 * c["n_embd"], act_fn="gelu_new", d_vocab=c["vocab_size"],
        normalization_type="LN", eps=c["layer_norm_epsilon"], device="cpu", init_weights=False)
    model = HookedTransformer(cfg)
    t = load_file(os.path.join(folder, "model.safetensors"))
    heads, width, head = cfg.n_heads, cfg.d_model, cfg.d_head
    state = {"embed.W_E": t["wte.weight"], "pos_embed.W_pos": t["wpe.weight"],
             "ln_final.w": t["ln_f.weight"], "ln_final.b": t["ln_f.bias"],
             "unembed.W_U": t["wte.weight"].T, "unembed.b_U": torch.zeros(cfg.d_vocab)}
    for l in range(cfg.n_layers):
        s, p = f"h.{l}.", f"blocks.{l}."
        for ours, theirs in (("ln1", "ln_1"), ("ln2", "ln_2")):
            state[p + ours + ".w"], state[p + ours + ".b"] = t[s + theirs + ".weight"], t[s + theirs + ".bias"]
        for i, name in enumerate("QKV"):
            w = t[s + "attn.c_attn.weight"][:, i * width:(i + 1) * width]
            state[p + f"attn.W_{name}"] = w.reshape(width, heads, head).permute(1, 0, 2)
            state[p + f"attn.b_{name}"] = t[s + "attn.c_attn.bias"][i * width:(i + 1) * width].reshape(heads, head)
        state[p + "attn.W_O"] = t[s + "attn.c_proj.weight"].reshape(heads, head, width)
        state[p + "attn.b_O"] = t[s + "attn.c_proj.bias"]
        state[p + "mlp.W_in"], state[p + "mlp.b_in"] = t[s + "mlp.c_fc.weight"], t[s + "mlp.c_fc.bias"]
        state[p + "mlp.W_out"], state[p + "mlp.b_out"] = t[s + "mlp.c_proj.weight"], t[s + "mlp.c_proj.bias"]
    model.load_state_dict(state, strict=False)
    return model


def load_huggingface(folder):
    from safetensors.torch import load_file
    from transformers import GPT2Config, GPT2Model

    with open(os.path.join(folder, "config.json")) as file:
        config = GPT2Config(**json.load(file))
    model = GPT2Model(config)
    model.load_state_dict(load_file(os.path.join(folder, "model.safetensors")), strict=False)
    return model.eval()


def load_prompts(path):
    with open(path) as file:
        rows = [json.loads(line) for line in file]
    return [torch.tensor(row["tokens"]) for row in rows], np.array([row["label"] for row in rows])


def batches(prompts, size):
    """Indices of prompts of one length each, so that nothing is padded."""
    groups = {}
    for index, prompt in enumerate(prompts):
        groups.setdefault(len(prompt), []).append(index)
    for indices in groups.values():
        for start in range(0, len(indices), size):
            chosen = indices[start:start + size]
            yield chosen, torch.stack([prompts[index] for index in chosen])


def record_best(model, prompts, batch=100):
    layers = model.cfg.n_layers
    outputs = torch.empty(len(prompts), layers, model.cfg.n_heads, model.cfg.d_model)
    for indices, tokens in batches(prompts, batch):
        means = [None] * layers

        def keep(z, hook):
            means[hook.layer()] = z.mean(1)

        model.run_with_hooks(
            tokens, return_type=None, stop_at_layer=layers,
            fwd_hooks=[(f"blocks.{l}.attn.hook_z", keep) for l in range(layers)])
        outputs[indices] = torch.stack(
            [torch.einsum("bhd,hdm->bhm", means[l], model.blocks[l].attn.W_O) for l in range(layers)], 1)
    return outputs


def record_hooks(model, prompts, batch=100):
    layers, heads = model.config.n_layer, model.config.n_head
    means = [None] * layers

    def keep(layer):
        def hook(module, inputs):
            means[layer] = inputs[0].mean(1)
        return hook

    handles = [block.attn.c_proj.register_forward_pre_hook(keep(l)) for l, block in enumerate(model.h)]
    outputs = torch.empty(len(prompts), layers, heads, model.config.n_embd)
    for indices, tokens in batches(prompts, batch):
        model(tokens, use_cache=False)
        outputs[indices] = torch.stack(
            [torch.einsum("bhd,hdm->bhm", means[l].reshape(len(means[l]), heads, -1),
                          model.h[l].attn.c_proj.weight.reshape(heads, -1, model.config.n_embd))
             for l in range(layers)], 1)
    for handle in handles:
        handle.remove()
    return outputs


def record_authors(model, tokens):
    rows = []
    for prompt in tokens:
        _, cache = model.run_with_cache(prompt[None])
        stacked = cache.stack_head_results(layer=-1, return_labels=False)
        rows.append(stacked[:, 0].mean(1).reshape(model.cfg.n_layers, model.cfg.n_heads, -1))
    return torch.stack(rows)


def train_autoencoder(x, features=200, sparsity=0.02, epochs=500):
    """x [samples, d]; the method's autoencoder with tied bias and unit rows."""
    d = x.shape[1]
    torch.manual_seed(0)
    with torch.enable_grad():
        encoder = torch.nn.Parameter(torch.randn(features, d))
        decoder = torch.nn.Parameter(torch.randn(d, features))
        bias = torch.nn.Parameter(torch.empty(features).uniform_(-d ** -0.5, d ** -0.5))
        tied = torch.nn.Parameter(torch.zeros(d))
        optimizer = torch.optim.Adam([encoder, decoder, bias, tied], lr=1e-3)
        for _ in range(epochs):
            with torch.no_grad():
                encoder.div_(encoder.norm(dim=1, keepdim=True))
                decoder.div_(decoder.norm(dim=1, keepdim=True))
            f = F.relu(F.linear(x - tied, encoder, bias))
            loss = ((F.linear(f, decoder, tied) - x) ** 2).mean() + sparsity * f.abs().sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            with torch.no_grad():
                for w in (encoder, decoder):
                    w.grad -= (w.grad * w).sum(1, keepdim=True) * w
            optimizer.step()
    return encoder, bias, tied


def codes_of(outputs, parameters):
    encoder, bias, tied = parameters
    flat = outputs.reshape(-1, outputs.shape[-1])
    return F.relu(F.linear(flat - tied, encoder, bias)).argmax(1).reshape(len(outputs), -1).numpy()


def pair_scores_dense(codes, labels, features=200):
    """The authors' way: a count for every pair of heads and codes, per class, in float64."""
    heads = codes.shape[1]
    positive = np.zeros((heads, heads, features, features))
    negative = np.zeros((heads, heads, features, features))
    for example, label in zip(codes, labels):
        target = positive if label else negative
        for i in range(heads):
            for j in range(heads):
                target[i, j, example[i], example[j]] += 1
    scores = np.zeros((heads, heads))
    for i in range(heads):
        scores[i] = ((positive[i] > 0) & (negative[i] == 0)).sum((1, 2))
    return scores


def scores_by_sets(codes, labels):
    heads = codes.shape[1]
    node = [len(set(codes[labels == 1, h]) - set(codes[labels == 0, h])) for h in range(heads)]
    pair = np.zeros((heads, heads), int)
    joined = codes.astype(np.int64)
    for i in range(heads):
        for j in range(i + 1, heads):
            both = joined[:, i] * 1000 + joined[:, j]
            pair[i, j] = len(np.setdiff1d(both[labels == 1], both[labels == 0]))
    return node, pair


def train_on(outputs, labels):
    half = np.flatnonzero(labels == 1)[:5].tolist() + np.flatnonzero(labels == 0)[:5].tolist()
    return train_autoencoder(outputs[half].reshape(-1, outputs.shape[-1]))


def main():
    work, folder, prompts = sys.argv[1:4]
    tokens, labels = load_prompts(prompts)
    started = time.perf_counter()
    load = load_huggingface if work.endswith("hooks") else load_model
    model = None if work in ("autoencoder", "pairs") else load(folder)
    loaded = time.perf_counter()
    outputs = None
    if work.startswith(("record", "discover")):
        ways = {"best": record_best, "hooks": record_hooks, "authors": record_authors}
        outputs = ways[work.split("-")[1]](model, tokens)
    if work == "autoencoder":
        torch.manual_seed(1)
        train_autoencoder(torch.randn(10 * 144, 768) * 0.1)
    if work == "pairs":
        codes = np.random.default_rng(0).integers(0, 200, (len(labels), 144))
        pair_scores_dense(codes, labels)
    if work.startswith("discover"):
        parameters = train_on(outputs, labels)
        codes = codes_of(outputs, parameters)
        if not work.endswith("authors"):
            node, pair = scores_by_sets(codes, labels)
        else:
            node, _ = scores_by_sets(codes[:, :0], labels)
            pair = pair_scores_dense(codes, labels)
        if len(sys.argv) > 4:
            with open(sys.argv[4], "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["head", "score"])
                writer.writerows(enumerate(node))
    finished = time.perf_counter()
    if work.startswith("record") and len(sys.argv) > 4:
        np.save(sys.argv[4], outputs.numpy())
    print(json.dumps({"work": work, "seconds": finished - loaded, "load_seconds": loaded - started}))


if __name__ == "__main__":
    main()

"""Edge attribution and head patching with PyTorch's autograd, for timing beside `headlamp attribute`.

usage: attribution_peer.py eap|eap-ig-inputs|patching MODEL PROMPTS [FILE]

A GPT-2 layout in plain PyTorch, no parameter gradients, answers' logits of the last position only. For edges the gradients
of queries, keys and values are taken by hooks and carried through each head's own projection and the norm's derivative in
closed form, which is faster than 36 copies of the stream a layer under autograd; products with all earlier sources are one
einsum a layer. Patching is one run a head over all prompts, with that head's z replaced. With FILE, scores are written
there as CSV (source,destination,score, or node,score). Prints one JSON line: the seconds of the work, without imports and
loading.
"""
import csv
import json
import os
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

torch.set_num_threads(int(os.environ.get("PEER_THREADS", "2")))


class Model:
    def __init__(self, folder):
        c = json.load(open(os.path.join(folder, "config.json")))
        self.L, self.H, self.d = c["n_layer"], c["n_head"], c["n_embd"]
        self.dh, self.eps = self.d // self.H, c["layer_norm_epsilon"]
        self.w = load_file(os.path.join(folder, "model.safetensors"))

    def block(self, x, l, hook):
        w, p, (B, T, d) = self.w, f"h.{l}.", x.shape
        n = F.layer_norm(x, (d,), w[p + "ln_1.weight"], w[p + "ln_1.bias"], self.eps)
        qkv = torch.addmm(w[p + "attn.c_attn.bias"], n.view(-1, d), w[p + "attn.c_attn.weight"]).view(B, T, 3, self.H, self.dh)
        qkv = hook(l, "qkv", qkv)
        q, k, v = (t.transpose(1, 2) for t in qkv.unbind(2))
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
        z = hook(l, "z", z)
        x = x + torch.addmm(w[p + "attn.c_proj.bias"], z.reshape(-1, d), w[p + "attn.c_proj.weight"]).view(B, T, d)
        m = hook(l, "mid", x)
        n = F.layer_norm(m, (d,), w[p + "ln_2.weight"], w[p + "ln_2.bias"], self.eps)
        n = hook(l, "mlp_norm", n)
        h = F.gelu(torch.addmm(w[p + "mlp.c_fc.bias"], n.view(-1, d), w[p + "mlp.c_fc.weight"]), approximate="tanh")
        out = torch.addmm(w[p + "mlp.c_proj.bias"], h, w[p + "mlp.c_proj.weight"]).view(B, T, d)
        out = hook(l, "mlp", out)
        return x + out

    def embed(self, ids):
        return self.w["wte.weight"][ids] + self.w["wpe.weight"][:ids.shape[1]]

    def run(self, x, hook=lambda l, name, x: x):
        for l in range(self.L):
            x = hook(l, "pre", x)
            x = self.block(x, l, hook)
        x = hook(self.L, "pre", x)
        return F.layer_norm(x[:, -1], (self.d,), self.w["ln_f.weight"], self.w["ln_f.bias"], self.eps) @ self.w["wte.weight"].T

    def sources(self, ids):
        """[B·T, source, d] of one forward run."""
        kept = [self.embed(ids)]

        def keep(l, name, x):
            if name == "z":
                wo = self.w[f"h.{l}.attn.c_proj.weight"].view(self.H, self.dh, self.d)
                kept.append(torch.einsum("bthe,hed->bthd", x, wo))
            elif name == "mlp":
                kept.append(x)
            return x

        with torch.no_grad():
            self.run(kept[0], keep)
        rows = [k.reshape(-1, 1 if k.dim() == 3 else self.H, self.d) for k in kept]
        return torch.cat(rows, 1)


def norm_vjp(x, weight, eps, g):
    """Through a layer norm at x [N, d], for gradients g [N, …, d] of its result."""
    centred = x - x.mean(-1, keepdim=True)
    scale = (centred.pow(2).mean(-1, keepdim=True) + eps).rsqrt()
    n = centred * scale
    shape = [x.shape[0]] + [1] * (g.dim() - 2) + [x.shape[1]]
    n, scale = n.view(shape), scale.view(shape[:-1] + [1])
    g = g * weight
    return scale * (g - g.mean(-1, keepdim=True) - n * (g * n).mean(-1, keepdim=True))


def edges(model, clean, corrupted, right, wrong, steps):
    L, H, d, w = model.L, model.H, model.d, model.w
    with torch.no_grad():
        change = model.sources(corrupted) - model.sources(clean)
        first, other = model.embed(clean), model.embed(corrupted)
    layer_sources = H + 1
    scores = [[torch.zeros(1 + l * layer_sources, 3, H) for l in range(L)],
              [torch.zeros(1 + l * layer_sources + H) for l in range(L)], torch.zeros(1 + L * layer_sources)]
    inputs = [first] if steps == 1 else [other + k / steps * (first - other) for k in range(steps)]
    for x in inputs:
        x = x.clone().requires_grad_()
        kept = {}

        def keep(l, name, value):
            if name in ("pre", "mid"):
                kept[l, name] = value.detach().view(-1, d)
                if (l, name) == (L, "pre"):
                    value.register_hook(lambda g: products(L, "logits", g))
            elif name in ("qkv", "mlp_norm"):
                value.register_hook(lambda g, l=l, name=name: products(l, name, g))
            return value

        def products(l, name, g):
            with torch.no_grad():
                if name == "logits":
                    scores[2] += torch.einsum("nsd,nd->s", change, g.view(-1, d))
                elif name == "mlp_norm":
                    g = norm_vjp(kept[l, "mid"], w[f"h.{l}.ln_2.weight"], model.eps, g.reshape(-1, d))
                    bound = 1 + l * layer_sources + H
                    scores[1][l] += torch.einsum("nsd,nd->s", change[:, :bound], g)
                else:
                    wq = w[f"h.{l}.attn.c_attn.weight"].view(d, 3, H, model.dh)
                    g = torch.einsum("nkhe,dkhe->nkhd", g.reshape(-1, 3, H, model.dh), wq)
                    g = norm_vjp(kept[l, "pre"], w[f"h.{l}.ln_1.weight"], model.eps, g)
                    bound = 1 + l * layer_sources
                    n = g.shape[0]
                    c = change[:, :bound].transpose(0, 1).reshape(bound, -1)
                    scores[0][l] += (c @ g.permute(0, 3, 1, 2).reshape(n * d, 3 * H)).view(bound, 3, H)

        logits = model.run(x, keep)
        rows = torch.arange(len(right))
        (logits[rows, right] - logits[rows, wrong]).sum().backward()
    scale = 1 / (len(right) * len(inputs))
    return [[s * scale for s in part] if isinstance(part, list) else part * scale for part in scores]


def patching(model, clean, corrupted, right, wrong):
    rows = torch.arange(len(right))
    effects = torch.zeros(model.L, model.H)
    with torch.no_grad():
        donors = {}

        def keep(l, name, x):
            if name == "z":
                donors[l] = x
            return x

        model.run(model.embed(corrupted), keep)
        first = model.embed(clean)
        base = model.run(first)
        base = (base[rows, right] - base[rows, wrong]).mean()
        for l in range(model.L):
            for h in range(model.H):
                def patch(layer, name, x):
                    if layer == l and name == "z":
                        x = x.clone()
                        x[:, :, h] = donors[l][:, :, h]
                    return x

                logits = model.run(first, patch)
                effects[l, h] = (logits[rows, right] - logits[rows, wrong]).mean() - base
    return effects


def main():
    work, folder, path = sys.argv[1:4]
    model = Model(folder)
    rows = [json.loads(line) for line in open(path)]
    positives = [r for r in rows if r["label"] == 1]
    negatives = {r["pair"]: r for r in rows if r["label"] == 0}
    clean = torch.tensor([r["tokens"] for r in positives])
    corrupted = torch.tensor([negatives[r["pair"]]["tokens"] for r in positives])
    right = torch.tensor([r["answer"] for r in positives])
    wrong = torch.tensor([r["wrong"] for r in positives])
    started = time.perf_counter()
    if work == "patching":
        result = patching(model, clean, corrupted, right, wrong)
    else:
        steps = 5 if work == "eap-ig-inputs" else 1
        # Some prompts at a time: fastest here, as temporaries stay small.
        size = int(os.environ.get("PEER_BATCH", "10"))
        parts = [edges(model, clean[i:i + size], corrupted[i:i + size], right[i:i + size], wrong[i:i + size], steps)
                 for i in range(0, len(clean), size)]
        weights = [len(clean[i:i + size]) / len(clean) for i in range(0, len(clean), size)]
        result = [[sum(w * p[k][l] for w, p in zip(weights, parts)) for l in range(model.L)] for k in (0, 1)]
        result.append(sum(w * p[2] for w, p in zip(weights, parts)))
    seconds = time.perf_counter() - started
    if len(sys.argv) > 4:
        write(result, model, sys.argv[4])
    print(json.dumps({"seconds": seconds}))


def write(result, model, path):
    names = ["input"] + [n for l in range(model.L) for n in [f"a{l}.h{h}" for h in range(model.H)] + [f"m{l}"]]
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        if torch.is_tensor(result):
            out.writerow(["node", "score"])
            for l in range(model.L):
                for h in range(model.H):
                    out.writerow([f"a{l}.h{h}", float(result[l, h])])
            return
        out.writerow(["source", "destination", "score"])
        for l in range(model.L):
            for s, row in enumerate(result[0][l]):
                for k, letter in enumerate("qkv"):
                    for h in range(model.H):
                        out.writerow([names[s], f"a{l}.h{h}<{letter}>", float(row[k, h])])
            for s, value in enumerate(result[1][l]):
                out.writerow([names[s], f"m{l}", float(value)])
        for s, value in enumerate(result[2]):
            out.writerow([names[s], "logits", float(value)])


if __name__ == "__main__":
    main()

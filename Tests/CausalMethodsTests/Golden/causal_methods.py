"""Scores of nodes, edges and circuits by autograd and by plain re-running, of four families of tiny random models.

    python causal_methods.py [NAME …]   (torch, transformers and safetensors from PyPI; versions go into each file's header)

The models are those of ../../TransformersTests/Golden/gradients, run by ../../Golden/decoder.py in float64, and two of
../../TransformersTests/Golden/more, run by ../../Golden/oracle.py. Scores are
sums over positions and means over prompts; differences are replacement − clean. Writers are counted input, then each
layer's heads and MLP; readers each layer's heads with q, k, v each, then the MLP, at last the logits.
"""
import os
import random
import sys

import torch
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "..", "Golden"))
from decoder import Decoder  # noqa: E402

models = os.path.join(here, "..", "..", "TransformersTests", "Golden", "gradients")
STEPS = 5


class RelevanceDecoder(Decoder):
    """The same values, with gradients by the rules of RelP (arXiv 2508.21258): a norm's scale is a constant (LN-rule), an
    activation the constant factor act(x)/x (identity rule), and a gated product passes half to each side (half rule)."""

    def __init__(self, folder):
        super().__init__(folder)
        exact = self.act
        self.act = lambda x: x * (exact(x) / x).detach()

    def norm(self, x, p):
        weight, bias = p
        if self.rms:
            return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps).detach() * (weight + self.offset)
        centred = x - x.mean(-1, keepdim=True)
        return centred / (centred.pow(2).mean(-1, keepdim=True) + self.eps).sqrt().detach() * weight + bias

    def gated(self, gate, up):
        return (gate * up + (gate * up).detach()) / 2


class Study:
    """One pair of prompts under one model."""

    def __init__(self, oracle, clean, corrupted, right, wrong):
        self.o, self.clean, self.corrupted, self.right, self.wrong = oracle, clean, corrupted, right, wrong
        self.L, self.H = oracle.layers, oracle.heads
        self.sources = ["input"] + [s for l in range(self.L) for s in [f"a{l}.h{h}" for h in range(self.H)] + [f"m{l}"]]
        self.readers = [r for l in range(self.L)
                        for r in [f"a{l}.h{h}<{k}>" for h in range(self.H) for k in "qkv"] + [f"m{l}"]] + ["logits"]
        # What heads write is multiplied on its way into the stream by some models.
        self.scale = getattr(oracle, "residual_scale", 1.0)
        self.out_clean, self.raw = self.outputs(clean)
        self.out_corrupted, _ = self.outputs(corrupted)

    def bound(self, reader):
        if reader == "logits":
            return len(self.sources)
        if reader[0] == "m":
            l = int(reader[1:])
            return 1 + l * (self.H + 1) + (0 if self.o.parallel else self.H)
        return 1 + int(reader[1:].split(".")[0]) * (self.H + 1)

    def metric(self, logits):
        return logits[-1, self.right] - logits[-1, self.wrong]

    def outputs(self, ids):
        """Writers' outputs (heads before any norm behind them) and attention's raw outputs."""
        kept = {}

        def keep(name, x):
            kept[name] = x.detach()
            return x

        self.o.run(ids, keep)
        out = [kept["blocks.0.hook_resid_pre"]]
        for l in range(self.L):
            out += [kept[f"blocks.{l}.attn.hook_result"][:, h] for h in range(self.H)]
            out.append(kept[f"blocks.{l}.hook_mlp_out"])
        return out, [kept[f"blocks.{l}.attn.hook_out"] for l in range(self.L)]

    def layer_of(self, source):
        return None if source == "input" else int(source[1:].split(".")[0])

    def pushed(self, s, change):
        """A source's change behind the norm after attention, to first order at the clean run."""
        name = self.sources[s]
        if name[0] != "a":
            return change
        if self.o.blocks[self.layer_of(name)]["post1"] is None:
            return change * self.scale
        norm = self.o.blocks[self.layer_of(name)]["post1"]
        return self.scale * torch.func.jvp(lambda x: self.o.norm(x, norm), (self.raw[self.layer_of(name)],), (change,))[1]

    def exact(self, s, change):
        """The same without linearisation."""
        name = self.sources[s]
        if name[0] != "a":
            return change
        if self.o.blocks[self.layer_of(name)]["post1"] is None:
            return change * self.scale
        norm, raw = self.o.blocks[self.layer_of(name)]["post1"], self.raw[self.layer_of(name)]
        return self.scale * (self.o.norm(raw + change, norm) - self.o.norm(raw, norm))

    def gradients(self, ids, edit=lambda name, x: x):
        """∂metric/∂ every reader's input, and ∂metric/∂ every named value."""
        kept = {}

        def keep(name, x):
            x = edit(name, x)
            x = x.clone().requires_grad_() if not x.requires_grad else x.clone()
            x.retain_grad()
            kept[name] = x
            return x

        self.metric(self.o.run(ids, keep)).backward()
        g = {name: torch.zeros_like(x) if x.grad is None else x.grad for name, x in kept.items()}
        readers = []
        for r in self.readers:
            if r == "logits":
                readers.append(g[f"blocks.{self.L - 1}.hook_resid_post"])
            elif r[0] == "m":
                readers.append(g[f"blocks.{r[1:]}.hook_mlp_in"])
            else:
                l, h, k = int(r[1:].split(".")[0]), int(r.split(".h")[1].split("<")[0]), r[-2]
                readers.append(g[f"blocks.{l}.hook_{k}_input"][:, h])
        return readers, g, kept

    def products(self, changes, readers):
        score = torch.zeros(len(self.readers), len(self.sources), dtype=torch.float64)
        for r, name in enumerate(self.readers):
            for s in range(self.bound(name)):
                score[r, s] = (changes[s] * readers[r]).sum()
        return score

    def edge_methods(self):
        raw = [b - a for a, b in zip(self.out_clean, self.out_corrupted)]
        changes = [self.pushed(s, c) for s, c in enumerate(raw)]
        at_clean, g, kept = self.gradients(self.clean)
        at_corrupted, _, _ = self.gradients(self.corrupted)
        result = {"eap": self.products(changes, at_clean)}
        result["clean-corrupted"] = 0.5 * (result["eap"] + self.products(changes, at_corrupted))

        def input_edit(stream):
            return lambda name, x: stream if name == "blocks.0.hook_resid_pre" else x

        total = None
        for k in range(STEPS):
            at = self.gradients(self.clean, input_edit(self.out_corrupted[0] - k / STEPS * raw[0]))[0]
            total = at if total is None else [a + b for a, b in zip(total, at)]
        result["eap-ig-inputs"] = self.products(changes, [t / STEPS for t in total])

        total, runs = None, 0
        groups = [("input", None)] + [x for l in range(self.L) for x in (("heads", l), ("mlp", l))]
        for kind, l in groups:
            for k in range(1, STEPS + 1):
                share = 1 - k / STEPS

                def edit(name, x):
                    if kind == "heads" and name == f"blocks.{l}.attn.hook_result":
                        first = 1 + l * (self.H + 1)
                        return (x + share * torch.stack(raw[first:first + self.H], 1)).detach()
                    if kind == "mlp" and name == f"blocks.{l}.hook_mlp_out":
                        return (x + share * raw[l * (self.H + 1) + self.H + 1]).detach()
                    return x

                at = self.gradients(
                    self.clean, input_edit(self.out_clean[0] + share * raw[0]) if kind == "input" else edit)[0]
                total = at if total is None else [a + b for a, b in zip(total, at)]
                runs += 1
        result["eap-ig-activations"] = self.products(changes, [t / runs for t in total])

        exact = torch.zeros_like(result["eap"])
        base = self.metric(self.o.run(self.clean))
        for r, name in enumerate(self.readers):
            for s in range(self.bound(name)):
                change = self.exact(s, raw[s])

                def edit(point, x):
                    if name == "logits":
                        return x + change if point == f"blocks.{self.L - 1}.hook_resid_post" else x
                    if name[0] == "m":
                        return x + change if point == f"blocks.{name[1:]}.hook_mlp_in" else x
                    l, h, k = int(name[1:].split(".")[0]), int(name.split(".h")[1].split("<")[0]), name[-2]
                    if point == f"blocks.{l}.hook_{k}_input":
                        x = x.clone()
                        x[:, h] += change
                    return x

                exact[r, s] = self.metric(self.o.run(self.clean, edit)) - base
        result["edge-patching"] = exact
        return result, base

    def node_edit(self, s, value):
        """Replaces the output of one source."""
        name = self.sources[s]

        def edit(point, x):
            if name == "input":
                return value if point == "blocks.0.hook_resid_pre" else x
            l = self.layer_of(name)
            if name[0] == "m":
                return value if point == f"blocks.{l}.hook_mlp_out" else x
            if point == f"blocks.{l}.attn.hook_result":
                x = x.clone()
                x[:, int(name.split(".h")[1])] = value
            return x

        return edit

    def node_methods(self, mean):
        _, g, kept = self.gradients(self.clean)
        slopes = [g["blocks.0.hook_resid_pre"]]
        hisp = [torch.tensor(0.0)]
        for l in range(self.L):
            z, dz = kept[f"blocks.{l}.attn.hook_z"], g[f"blocks.{l}.attn.hook_z"]
            for h in range(self.H):
                slopes.append(g[f"blocks.{l}.attn.hook_result"][:, h])
                hisp.append((z[:, h] * dz[:, h]).sum().abs())
            slopes.append(g[f"blocks.{l}.hook_mlp_out"])
            hisp.append(torch.tensor(0.0))
        base = self.metric(self.o.run(self.clean))
        other = self.metric(self.o.run(self.corrupted))
        result = {"hisp": torch.stack([x.double() for x in hisp])}
        donors = {"pair": self.out_corrupted, "zero": [torch.zeros_like(x) for x in self.out_clean], "mean": mean}
        for name, values in donors.items():
            result[f"atp-{name}"] = torch.stack(
                [((v - c) * d).sum() for v, c, d in zip(values, self.out_clean, slopes)])
            result[f"patching-{name}"] = torch.stack(
                [self.metric(self.o.run(self.clean, self.node_edit(s, v))) - base for s, v in enumerate(values)])
        result["restoring"] = torch.stack(
            [self.metric(self.o.run(self.corrupted, self.node_edit(s, v))) - other
             for s, v in enumerate(self.out_clean)])
        return result

    def star(self):
        """AtP*: changes of z where queries, keys or values alone are the corrupted prompt's, times the gradient with one
        layer's outputs cut off; MLPs and the input by their own changes. Means of |score| over the cuts."""
        donors = self.gradients(self.corrupted)[2]
        own = self.gradients(self.clean)[2]
        changes = []
        for l in range(self.L):
            change = 0
            for k in "qkv":
                point = f"blocks.{l}.attn.hook_{k}"
                moved = self.gradients(self.clean, lambda name, x: donors[point].detach() if name == point else x)[2]
                change = change + moved[f"blocks.{l}.attn.hook_z"] - own[f"blocks.{l}.attn.hook_z"]
            changes.append(change.detach())
        total = torch.zeros(len(self.sources), dtype=torch.float64)
        for cut in range(self.L):
            g = self.gradients(self.clean, lambda name, x: x.detach() if name in (
                f"blocks.{cut}.hook_attn_out", f"blocks.{cut}.hook_mlp_out") else x)[1]
            for s, name in enumerate(self.sources):
                l = self.layer_of(name)
                if l == cut:
                    continue
                if name == "input":
                    product = (self.out_corrupted[s] - self.out_clean[s]) * g["blocks.0.hook_resid_pre"]
                elif name[0] == "m":
                    product = (self.out_corrupted[s] - self.out_clean[s]) * g[f"blocks.{l}.hook_mlp_out"]
                else:
                    h = int(name.split(".h")[1])
                    product = changes[l][:, h] * g[f"blocks.{l}.attn.hook_z"][:, h]
                total[s] += product.sum().abs() / max(1, self.L - 1)
        return {"atp-star-pair": total}

    def relevance(self):
        """Products of changes with gradients, where `self.o` is a RelevanceDecoder."""
        readers, g, _ = self.gradients(self.clean)
        changes = [b - a for a, b in zip(self.out_clean, self.out_corrupted)]
        slopes = [g["blocks.0.hook_resid_pre"]]
        for l in range(self.L):
            slopes += [g[f"blocks.{l}.attn.hook_result"][:, h] for h in range(self.H)] + [g[f"blocks.{l}.hook_mlp_out"]]
        return {"relp-pair": torch.stack([(c * d).sum() for c, d in zip(changes, slopes)]),
                "eap-relp": self.products([self.pushed(s, c) for s, c in enumerate(changes)], readers)}

    def circuit(self, kept_edges):
        """The metric with every edge outside a circuit patched: each reader gets this run's stream plus, for each source
        outside, its corrupted output less this run's; heads behind a norm are summed before it."""
        H, store = self.H, {}

        def change(r):
            total = 0
            outside = [s for s in range(self.bound(self.readers[r])) if (r, s) not in kept_edges]
            for s in outside:
                if self.sources[s][0] != "a" or self.o.blocks[self.layer_of(self.sources[s])]["post1"] is None:
                    factor = self.scale if self.sources[s][0] == "a" else 1.0
                    total = total + factor * (self.out_corrupted[s] - store[s])
            for l in range(self.L):
                norm = self.o.blocks[l]["post1"]
                heads = [s for s in outside if self.sources[s][0] == "a" and self.layer_of(self.sources[s]) == l]
                if norm is not None and heads:
                    raw = sum(store[1 + l * (H + 1) + h] for h in range(H))
                    moved = raw + sum(self.out_corrupted[s] - store[s] for s in heads)
                    total = total + self.scale * (self.o.norm(moved, norm) - self.o.norm(raw, norm))
            return total

        def edit(point, x):
            if point == "blocks.0.hook_resid_pre":
                store[0] = x
            parts = point.split(".")
            if parts[0] != "blocks":
                return x
            l, place = int(parts[1]), ".".join(parts[2:])
            if place == "attn.hook_result":
                for h in range(H):
                    store[1 + l * (H + 1) + h] = x[:, h]
            if place == "hook_mlp_out":
                store[1 + l * (H + 1) + H] = x
            first = l * (3 * H + 1)
            if place in ("hook_q_input", "hook_k_input", "hook_v_input"):
                k = "qkv".index(place[5])
                return torch.stack([x[:, h] + change(first + 3 * h + k) for h in range(H)], 1)
            if place == "hook_mlp_in":
                return x + change(first + 3 * H)
            if place == "hook_resid_post" and l == self.L - 1:
                return x + change(len(self.readers) - 1)
            return x

        return self.metric(self.o.run(self.clean, edit))


def other_oracle(family):
    """A model of ../../TransformersTests/Golden/more, by ../../Golden/oracle.py."""
    from oracle import Oracle
    from transformers import AutoModelForCausalLM

    folder = os.path.join(models, "..", "more", family)
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval().double()
    for module in model.modules():  # angles stay in single precision, as they are in use
        if type(module).__name__.endswith("RotaryEmbedding"):
            for key, value in list(module.named_buffers()):
                setattr(module, key, value.float())
    return Oracle(model)


def write(family, seed):
    is_more = family in MORE
    oracle = other_oracle(family) if is_more else Decoder(f"{models}/{family}")
    V = oracle.embed.shape[0]
    generator = torch.Generator().manual_seed(seed)
    lengths = [5, 5, 6, 5]
    clean = [torch.randint(0, V, (n,), generator=generator) for n in lengths]
    corrupted = []
    for ids in clean:
        other = ids.clone()
        for place in (1, len(ids) - 2):
            other[place] = torch.randint(0, V, (1,), generator=generator)
        corrupted.append(other)
    answers = torch.stack([torch.randperm(V, generator=generator)[:2] for _ in lengths])
    studies = [Study(oracle, a, b, r, w) for a, b, (r, w) in zip(clean, corrupted, answers)]
    rules = None if is_more else RelevanceDecoder(f"{models}/{family}")
    sums, bases, picked = {}, [], []
    for study, (a, b, (r, w)) in zip(studies, zip(clean, corrupted, answers)):
        twins = [s.out_corrupted for s in studies if len(s.clean) == len(study.clean)]
        mean = [torch.stack(v).mean(0) for v in zip(*twins)]
        edges, base = study.edge_methods()
        bases.append(base)
        for name, value in {**edges, **study.node_methods(mean), **study.star(),
                            **({} if is_more else Study(rules, a, b, r, w).relevance())}.items():
            sums.setdefault(name, []).append(value.detach())
    result = {name: torch.stack(v).mean(0).float().contiguous() for name, v in sums.items()}
    # Circuits: random subsets of the edges, as 0 and 1 in the order of readers and sources.
    random.seed(seed)
    all_edges = [(r, s) for r in range(len(studies[0].readers)) for s in range(studies[0].bound(studies[0].readers[r]))]
    masks, values = [], []
    for share in (0.0, 0.2, 0.5, 0.8, 1.0):
        kept = {e for e in all_edges if random.random() < share}
        masks.append(torch.tensor([1 if e in kept else 0 for e in all_edges]))
        values.append(torch.stack([s.circuit(kept).detach() for s in studies]))
    result["circuit.edges"], result["circuit.metric"] = torch.stack(masks), torch.stack(values).float()
    width = max(lengths)
    result["clean"] = torch.stack([torch.nn.functional.pad(x, (0, width - len(x))) for x in clean])
    result["corrupted"] = torch.stack([torch.nn.functional.pad(x, (0, width - len(x))) for x in corrupted])
    result["lengths"], result["answers"] = torch.tensor(lengths), answers
    result["metric"] = torch.stack(bases).detach().float()
    save_file(result, f"{here}/{family}.safetensors", {"seed": str(seed), "torch": torch.__version__})
    print(family, len(all_edges), "edges")


# A norm on the first stream, and factors on embeddings and on what modules add: without the rules of RelP.
MORE = ["bloom", "granite"]

if __name__ == "__main__":
    for number, name in enumerate(["gpt2", "llama", "gpt_neox", "gemma2"] + MORE):
        if not sys.argv[1:] or name in sys.argv[1:]:
            write(name, 200 + number)

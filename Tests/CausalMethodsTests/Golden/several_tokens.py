"""Scores where answers are of several tokens: every answer teacher-forced in runs of its own, by autograd in float64.

    python several_tokens.py [NAME …]   (torch and safetensors from PyPI; the versions go into each file's header)

An answer is worth the sum of the log-probabilities of its tokens behind the prompt and the tokens before; the metric is
the mean over right answers less that over wrong ones. Scores, effects and circuits' metrics are the same sums over the
scores of `causal_methods.Study` of prompt and answer. Right: A B C. Wrong: A D, and E alone.
"""
import os
import random
import sys

import torch
from safetensors.torch import save_file

from causal_methods import RelevanceDecoder, Study, here, models
from decoder import Decoder


class Forced(Study):
    """A study of a prompt with an answer behind it, but for the answer's last token."""

    def __init__(self, oracle, clean, corrupted, answer):
        self.answer, self.first = answer, len(clean) - 1
        tail = torch.tensor(answer[:-1], dtype=clean.dtype)
        super().__init__(oracle, torch.cat([clean, tail]), torch.cat([corrupted, tail]), None, None)

    def metric(self, logits):
        p = torch.log_softmax(logits, -1)
        return sum(p[self.first + k, token] for k, token in enumerate(self.answer))


def write(family, seed):
    oracle, rules = Decoder(f"{models}/{family}"), RelevanceDecoder(f"{models}/{family}")
    generator = torch.Generator().manual_seed(seed)
    lengths = [5, 4, 5]
    clean = [torch.randint(0, 29, (n,), generator=generator) for n in lengths]
    corrupted = []
    for ids in clean:
        other = ids.clone()
        for place in (1, len(ids) - 2):
            other[place] = torch.randint(0, 29, (1,), generator=generator)
        corrupted.append(other)
    tokens = [torch.randperm(29, generator=generator)[:5].tolist() for _ in lengths]
    random.seed(seed)
    kept, result = None, {}

    def add(prompt, values, weight):
        for name, value in values.items():
            rows = result.setdefault(name, [0] * len(lengths))
            rows[prompt] = rows[prompt] + weight * value.detach()

    masks = None
    for prompt, (a, b, (x, y, z, u, v)) in enumerate(zip(clean, corrupted, tokens)):
        for answer, weight in [([x, y, z], 1), ([x, u], -0.5), ([v], -0.5)]:
            study = Forced(oracle, a, b, answer)
            twins = [Forced(oracle, c, d, answer).out_corrupted
                     for c, d in zip(clean, corrupted) if len(c) == len(a)]
            edges, base = study.edge_methods()
            nodes = study.node_methods([torch.stack(t).mean(0) for t in zip(*twins)])
            del nodes["hisp"]
            add(prompt, {**edges, **nodes, **Forced(rules, a, b, answer).relevance(), "metric": base}, weight)
            every = [(r, s) for r in range(len(study.readers)) for s in range(study.bound(study.readers[r]))]
            if kept is None:
                kept = [{e for e in every if random.random() < share} for share in (0.0, 0.5, 1.0)]
                masks = torch.stack([torch.tensor([1 if e in k else 0 for e in every]) for k in kept])
            add(prompt, {"circuit.metric": torch.stack([study.circuit(k) for k in kept])}, weight)
    means = {name: torch.stack(rows).mean(0).float().contiguous() for name, rows in result.items()
             if name not in ("metric", "circuit.metric")}
    means["metric"] = torch.stack(result["metric"]).float()
    means["circuit.metric"] = torch.stack(result["circuit.metric"], 1).float().contiguous()
    means["circuit.edges"] = masks
    width = max(lengths)
    means["clean"] = torch.stack([torch.nn.functional.pad(x, (0, width - len(x))) for x in clean])
    means["corrupted"] = torch.stack([torch.nn.functional.pad(x, (0, width - len(x))) for x in corrupted])
    means["lengths"], means["answers"] = torch.tensor(lengths), torch.tensor(tokens)
    save_file(means, f"{here}/{family}-several-tokens.safetensors", {"seed": str(seed), "torch": torch.__version__})
    print(family, sorted(means))


if __name__ == "__main__":
    for number, name in enumerate(["gpt2", "llama", "gemma2"]):
        if not sys.argv[1:] or name in sys.argv[1:]:
            write(name, 300 + number)

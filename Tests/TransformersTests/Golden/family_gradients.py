"""Gradients of a metric at every hook point of ten families of tiny random models, and of their parameters.

    python family_gradients.py        (torch, transformers and safetensors from PyPI; versions go into each file's header)

Models are made by Hugging Face transformers; gradients at hook points come from ../../Golden/decoder.py in float64, whose
logits are checked against transformers' first; gradients of parameters come from transformers itself. The metric
of a prompt is logits[a] − logits[b] at its last position plus the log-probability of c at an earlier one.
"""
import os
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "..", "Golden"))
from decoder import Decoder  # noqa: E402

LENGTHS = [7, 5, 6]
small = dict(vocab_size=29, hidden_size=24, intermediate_size=20, max_position_embeddings=16)
llama = dict(small, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=6, rms_norm_eps=1e-6)
gemma = dict(small, num_attention_heads=4, num_key_value_heads=2, head_dim=6, query_pre_attn_scalar=6, sliding_window=3)
FAMILIES = {
    "gpt2": dict(model_type="gpt2", vocab_size=29, n_embd=24, n_layer=2, n_head=4, n_inner=20, n_positions=16),
    "gpt_neo": dict(model_type="gpt_neo", vocab_size=29, hidden_size=24, num_layers=2, num_heads=4, window_size=3,
                    intermediate_size=20, max_position_embeddings=16, attention_types=[[["global", "local"], 1]]),
    "gpt_neox": dict(small, model_type="gpt_neox", num_hidden_layers=2, num_attention_heads=3,
                     rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.25)),
    "llama": dict(llama, model_type="llama"),
    "llama3_rope": dict(llama, model_type="llama", tie_word_embeddings=True,
                        rope_parameters=dict(rope_type="llama3", rope_theta=100.0, factor=8.0, low_freq_factor=1.0,
                                             high_freq_factor=4.0, original_max_position_embeddings=8)),
    "mistral": dict(llama, model_type="mistral", sliding_window=3),
    "qwen2": dict(llama, model_type="qwen2", tie_word_embeddings=True),
    "qwen3": dict(llama, model_type="qwen3"),
    "gemma2": dict(gemma, model_type="gemma2", num_hidden_layers=2, attn_logit_softcapping=4.0,
                   final_logit_softcapping=6.0),
    "gemma3_text": dict(gemma, model_type="gemma3_text", num_hidden_layers=3, layer_types=[
        "sliding_attention", "full_attention", "sliding_attention"]),
}
FAMILIES["qwen2"].pop("head_dim")


def model_of(options, seed):
    torch.manual_seed(seed)
    options = dict(options)
    config = AutoConfig.for_model(options.pop("model_type"), **options)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 1:
                p.normal_(0.0, 0.3)
                if name.endswith("weight") and not config.model_type.startswith("gemma"):
                    p.add_(1.0)
            elif "embed" in name or "wte" in name or "wpe" in name:
                p.normal_(0.0, 0.7)
            else:
                p.normal_(0.0, 1.6 / p.shape[-1] ** 0.5)
    return model


def metric(logits, targets, positions):
    (a, b, c), (last, early) = targets, positions
    return logits[last, a] - logits[last, b] + logits[early].log_softmax(-1)[c]


def padded(rows, widths):
    """Tensors of one place of all prompts, padded to the longest with zeros along their position axes."""
    result = torch.zeros([len(rows)] + [max(r.shape[d] for r in rows) for d in range(rows[0].dim())])
    for i, r in enumerate(rows):
        result[(i,) + tuple(slice(0, n) for n in r.shape)] = r.float()
    return result


def write(name, seed, root="gradients", lengths=LENGTHS, with_parameters=True):
    folder = os.path.join(here, root, name)
    model = model_of(FAMILIES[name], seed)
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "generation_config.json"))
    oracle = Decoder(folder)
    model = model.double()
    model.get_input_embeddings().padding_idx = None  # which would leave a token's gradient out
    generator = torch.Generator().manual_seed(seed + 1)
    prompts = [torch.randint(0, 29, (n,), generator=generator) for n in lengths]
    targets = torch.stack([torch.randperm(29, generator=generator)[:3] for _ in lengths])
    positions = torch.tensor([[n - 1, n // 2 if n > 2 else 0] for n in lengths])
    gradients, values, total, expected = {}, [], 0.0, {}
    for ids, target, position in zip(prompts, targets, positions):
        kept = {}

        def keep(place, value):
            value = value.clone().requires_grad_() if not value.requires_grad else value.clone()
            value.retain_grad()
            kept[place] = value
            return value

        logits = oracle.run(ids, keep)
        theirs = model(ids[None]).logits[0]
        # Some families cast to float32 on the way whatever the model's type.
        worst = (logits - theirs).abs().max().item()
        assert worst < 1e-5 * theirs.abs().max(), f"{name}: {worst}"
        m = metric(logits, target, position)
        m.backward()
        total = total + metric(theirs, target, position)
        values.append(m.detach())
        for place, value in kept.items():
            g, v = value.grad, value.detach()
            if place.endswith(("attn.hook_k", "attn.hook_v")) and oracle.groups < oracle.heads:
                g = g.view(g.shape[0], oracle.groups, -1, g.shape[-1]).sum(2)
                v = v.view(v.shape[0], oracle.groups, -1, v.shape[-1])[:, :, 0]
            expected.setdefault(place, []).append(v)
            gradients.setdefault(place, []).append(g)
    total.backward()
    # Those of what each head reads are the largest: one seed of them is kept.
    file = {"gradient." + place: padded(rows, None) for place, rows in gradients.items()
            if with_parameters or not place.endswith("_input")}
    file["input_ids"] = padded([p for p in prompts], None).long()
    file["attention_mask"] = padded([torch.ones(n) for n in lengths], None).long()
    file["metric_tokens"], file["metric_positions"] = targets, positions
    file["metric"] = torch.stack(values).float()
    file = {k: v.contiguous() for k, v in file.items()}
    header = {"seed": str(seed), "torch": torch.__version__, "transformers": transformers.__version__}
    save_file(file, os.path.join(folder, "gradients.safetensors"), header)
    print(f"{name}: logits within {worst:.1e} of transformers {transformers.__version__}")
    if not with_parameters:
        # Head inputs are copies of the stream; scores follow from patterns.
        seen = {p: padded(v, None) for p, v in expected.items() if not p.endswith(("_input", "attn_scores"))}
        seen["input_ids"], seen["attention_mask"] = file["input_ids"], file["attention_mask"]
        save_file({k: v.contiguous() for k, v in seen.items()}, os.path.join(folder, "expected.safetensors"), header)
        return
    parameters = {n: p.grad.float().contiguous() for n, p in model.named_parameters() if p.grad is not None}
    os.makedirs(os.path.join(folder, "parameters"), exist_ok=True)
    save_file(parameters, os.path.join(folder, "parameters", "model.safetensors"), header)
    with open(os.path.join(folder, "config.json")) as config:
        open(os.path.join(folder, "parameters", "config.json"), "w").write(config.read())


if __name__ == "__main__":
    torch.set_default_dtype(torch.float32)
    for number, name in enumerate(FAMILIES):
        write(name, 100 + number)

"""Values and gradients at every hook point of tiny random models of more families, options and rotary kinds.

    python more_families.py [NAME …]     (torch, transformers and safetensors from PyPI; versions go into each file's header)

Models are made by Hugging Face transformers. Values and gradients at hook points come from ../../Golden/oracle.py in
float64, whose logits, hidden states and attention weights are checked against transformers' first; gradients of parameters
come from transformers itself. The metric is that of family_gradients.py.
"""
import json
import os
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "..", "Golden"))
from family_gradients import metric, padded  # noqa: E402
from oracle import Oracle  # noqa: E402

LENGTHS, V = [4, 3], 13
small = dict(vocab_size=V, hidden_size=16, intermediate_size=10, max_position_embeddings=16, num_hidden_layers=2,
             num_attention_heads=4, pad_token_id=0, bos_token_id=1, eos_token_id=2)
grouped = dict(small, num_key_value_heads=2)


def rope(kind="default", base=100.0, **more):
    return dict(rope_type=kind, rope_theta=base, **more)


falcon = dict(vocab_size=V, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, bos_token_id=1, eos_token_id=2,
              ffn_hidden_size=10, rope_parameters=rope())
experts = dict(grouped, num_experts_per_tok=2, head_dim=4)
MODELS = {
    "gemma": dict(grouped, model_type="gemma", head_dim=6, rope_parameters=rope()),
    "opt": dict({k: v for k, v in small.items() if k != "intermediate_size"}, model_type="opt", ffn_dim=10,
                word_embed_proj_dim=16),
    "gptj": dict(model_type="gptj", vocab_size=V, n_embd=16, n_layer=2, n_head=2, n_inner=10, n_positions=16, rotary_dim=6,
                 bos_token_id=1, eos_token_id=2),
    "phi": dict(grouped, model_type="phi", rope_parameters=rope(partial_rotary_factor=0.5)),
    "phi3": dict(grouped, model_type="phi3", sliding_window=3, rope_parameters=rope()),
    "phi3-longrope-short": dict(grouped, model_type="phi3", original_max_position_embeddings=8, rope_parameters=rope(
        "longrope", short_factor=[1.1, 1.7], long_factor=[2.0, 5.0], original_max_position_embeddings=8)),
    "phi3-longrope-long": dict(grouped, model_type="phi3", original_max_position_embeddings=2, rope_parameters=rope(
        "longrope", short_factor=[1.1, 1.7], long_factor=[2.0, 5.0], original_max_position_embeddings=2)),
    "olmo": dict(grouped, model_type="olmo", rope_parameters=rope()),
    "olmo-clipped": dict(small, model_type="olmo", clip_qkv=0.8, rope_parameters=rope()),
    "olmo2": dict(grouped, model_type="olmo2", rope_parameters=rope()),
    "olmo3": dict(grouped, model_type="olmo3", sliding_window=2, layer_types=["sliding_attention", "full_attention"],
                  rope_parameters={"full_attention": rope("yarn", factor=4.0, original_max_position_embeddings=8),
                                   "sliding_attention": rope()}),
    "stablelm": dict(grouped, model_type="stablelm", num_attention_heads=2, num_key_value_heads=1,
                     use_qkv_bias=True, rope_parameters=rope(partial_rotary_factor=0.25)),
    "stablelm-parallel": dict(grouped, model_type="stablelm", use_parallel_residual=True,
                              rope_parameters=rope(partial_rotary_factor=0.5)),
    "falcon": dict(falcon, model_type="falcon"),
    "falcon-grouped": dict(falcon, model_type="falcon", new_decoder_architecture=True, num_kv_heads=2, bias=True),
    "falcon-one-norm": dict(falcon, model_type="falcon", new_decoder_architecture=True, num_kv_heads=2,
                            num_ln_in_parallel_attn=1),
    "falcon-alibi": dict(falcon, model_type="falcon", alibi=True, multi_query=False, parallel_attn=False, bias=True),
    "bloom": dict(model_type="bloom", vocab_size=V, hidden_size=18, n_layer=2, n_head=3, bos_token_id=1, eos_token_id=2),
    "starcoder2": dict(grouped, model_type="starcoder2", sliding_window=3, rope_parameters=rope()),
    "granite": dict(grouped, model_type="granite", embedding_multiplier=3.0, residual_multiplier=0.4, logits_scaling=2.0,
                    attention_multiplier=0.3, rope_parameters=rope()),
    "cohere": dict(grouped, model_type="cohere", rope_parameters=rope()),
    "cohere-head-norms": dict(grouped, model_type="cohere", use_qk_norm=True, logit_scale=0.5, rope_parameters=rope()),
    "cohere2": dict(grouped, model_type="cohere2", sliding_window=2, rope_parameters=rope(),
                    layer_types=["sliding_attention", "full_attention"]),
    "smollm3": dict(grouped, model_type="smollm3", no_rope_layers=[1, 0], rope_parameters=rope()),
    "glm": dict(grouped, model_type="glm", head_dim=4, rope_parameters=rope(partial_rotary_factor=0.5)),
    "glm4": dict(grouped, model_type="glm4", head_dim=4, rope_parameters=rope(partial_rotary_factor=0.5)),
    "mixtral": dict(experts, model_type="mixtral", num_local_experts=3, rope_parameters=rope()),
    "qwen3_moe": dict(experts, model_type="qwen3_moe", num_experts=4, moe_intermediate_size=6, rope_parameters=rope()),
    "qwen3_moe-normalised": dict(experts, model_type="qwen3_moe", num_experts=4, moe_intermediate_size=6,
                                 norm_topk_prob=True, mlp_only_layers=[0], rope_parameters=rope()),
    "gpt_oss": dict(experts, model_type="gpt_oss", num_local_experts=4, sliding_window=2, rope_parameters=rope(
        "yarn", factor=8.0, beta_fast=4.0, beta_slow=1.0, truncate=False, original_max_position_embeddings=8),
        layer_types=["sliding_attention", "full_attention"], max_position_embeddings=64),
    "bert": dict(small, model_type="bert", type_vocab_size=2),
    "roberta": dict(small, model_type="roberta", type_vocab_size=1, pad_token_id=1, max_position_embeddings=18),
    "llama-yarn": dict(grouped, model_type="llama", rope_parameters=rope(
        "yarn", factor=4.0, original_max_position_embeddings=4, mscale=0.7, mscale_all_dim=1.0, beta_fast=2.0)),
    "llama-dynamic": dict(grouped, model_type="llama", rope_parameters=rope("dynamic", factor=2.0)),
    "llama-proportional": dict(grouped, model_type="llama", rope_parameters=rope(
        "proportional", factor=2.0, partial_rotary_factor=0.5)),
    "opt-projected": dict({k: v for k, v in small.items() if k != "intermediate_size"}, model_type="opt", ffn_dim=10,
                          word_embed_proj_dim=12, do_layer_norm_before=False),
}


def model_of(options, seed):
    torch.manual_seed(seed)
    options = dict(options)
    kind = options.pop("model_type")
    config = AutoConfig.for_model(kind, **options)
    auto = AutoModelForMaskedLM if kind in ("bert", "roberta") else AutoModelForCausalLM
    config._experts_implementation = "eager"
    # Falcon's eager attention adds ALiBi's addends twice (transformers 5.24), its default one once, as in training.
    attention = "sdpa" if options.get("alibi") else "eager"
    model = auto.from_config(config, attn_implementation=attention).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            gain = name.endswith("weight") and ("norm" in name.lower() or "ln_" in name)
            if p.dim() == 1 or gain:
                p.normal_(0.0, 0.3)
                if gain and kind != "gemma":
                    p.add_(1.0)
            elif "embed" in name or "wte" in name:
                p.normal_(0.0, 0.2 if kind == "granite" else 0.7)
            else:
                p.normal_(0.0, 1.6 / p.shape[-1] ** 0.5)
    return model


def close(ours, theirs, what):
    worst = (ours - theirs).abs().max().item() / max(theirs.abs().max().item(), 1e-3)
    assert worst < 2e-5, f"{what}: {worst}"
    return worst


def write(name, seed, root="more", lengths=LENGTHS, with_parameters=True):
    folder = os.path.join(here, root, name)
    model = model_of(MODELS[name], seed)
    model.save_pretrained(folder)
    generation = os.path.join(folder, "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)
    model = model.double()
    rotary = [m for m in model.modules() if type(m).__name__.endswith("RotaryEmbedding")]
    for module in rotary:  # angles stay in single precision, as they are in use
        for key, value in list(module.named_buffers()):
            setattr(module, key, value.float())
    model.get_input_embeddings().padding_idx = None
    for m in model.modules():
        if isinstance(m, torch.nn.Embedding):
            m.padding_idx = None
    generator = torch.Generator().manual_seed(seed + 1)
    prompts = [torch.randint(3, V, (n,), generator=generator) for n in lengths]
    targets = torch.stack([torch.randperm(V, generator=generator)[:3] for _ in lengths])
    positions = torch.tensor([[n - 1, n // 2 if n > 2 else 0] for n in lengths])
    values, gradients, metrics, total, worst = {}, {}, [], 0.0, 0.0
    for ids, target, position in zip(prompts, targets, positions):
        out = model(ids[None], output_hidden_states=True, output_attentions=not MODELS[name].get("alibi"))
        oracle, kept = Oracle(model), {}

        def keep(place, value):
            value = value.clone().requires_grad_() if not value.requires_grad else value.clone()
            value.retain_grad()
            kept[place] = value
            return value

        logits = oracle.run(ids, keep)
        worst = max(worst, close(logits, out.logits[0], f"{name}, logits"))
        for i in range(oracle.layers):
            close(kept[f"blocks.{i}.hook_resid_pre"], out.hidden_states[i][0], f"{name}, stream before layer {i}")
            if out.attentions and out.attentions[i] is not None:
                close(kept[f"blocks.{i}.attn.hook_pattern"], out.attentions[i][0], f"{name}, pattern of layer {i}")
        m = metric(logits, target, position)
        m.backward()
        total = total + metric(out.logits[0], target, position)
        metrics.append(m.detach())
        for place, value in kept.items():
            g, v = value.grad, value.detach()
            g = torch.zeros_like(v) if g is None else g
            if place.endswith(("attn.hook_k", "attn.hook_v")) and oracle.groups < oracle.heads:
                g = g.view(g.shape[0], oracle.groups, -1, g.shape[-1]).sum(2)
                v = v.view(v.shape[0], oracle.groups, -1, v.shape[-1])[:, :, 0]
            gradients.setdefault(place, []).append(g)
            values.setdefault(place, []).append(v)
    total.backward()
    ids, mask = padded(prompts, None).long(), padded([torch.ones(n) for n in lengths], None).long()
    header = {"seed": str(seed), "torch": torch.__version__, "transformers": transformers.__version__}
    # Head inputs are copies of the stream; scores follow from patterns.
    expected = {p: padded(rows, None) for p, rows in values.items() if not p.endswith(("_input", "attn_scores"))}
    # Those of what each head reads are the largest: one seed of them is kept.
    file = {"gradient." + place: padded(rows, None) for place, rows in gradients.items()
            if with_parameters or not place.endswith("_input")}
    for f in (expected, file):
        f["input_ids"], f["attention_mask"] = ids, mask
    file["metric_tokens"], file["metric_positions"] = targets, positions
    file["metric"] = torch.stack(metrics).float()
    save_file({k: v.contiguous() for k, v in expected.items()}, os.path.join(folder, "expected.safetensors"), header)
    save_file({k: v.contiguous() for k, v in file.items()}, os.path.join(folder, "gradients.safetensors"), header)
    print(f"{name}: logits within {worst:.1e} of transformers {transformers.__version__}")
    if not with_parameters:
        return
    # transformers itself writes the gradients of parameters, so that they stand under the names of a checkpoint.
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.grad if p.grad is not None else torch.zeros_like(p))
    model.float().save_pretrained(os.path.join(folder, "parameters"))
    generation = os.path.join(folder, "parameters", "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float32)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    for number, name in enumerate(MODELS):
        if not sys.argv[1:] or name in sys.argv[1:]:
            try:
                write(name, 300 + number)
            except Exception as error:  # every model is tried; failures are seen at the end
                print(f"{name}: FAILED {type(error).__name__}: {str(error)[:300]}")

"""Writes tiny random models of every family with the options that its published configurations vary.

usage: family_variants.py FOLDER      (Hugging Face transformers 5.23, torch 2.13)

Each folder holds config.json, model.safetensors and expected.safetensors: token ids, a mask of right padding, logits and
the residual stream between layers, from the family's own implementation in float32; config-older.json has the rotary
settings in the spelling of older files: rope_theta and rope_scaling beside the other options.
"""

import json
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import (
    Gemma2Config, Gemma2ForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, GPT2Config, GPT2LMHeadModel, GPTNeoConfig,
    GPTNeoForCausalLM, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, MistralConfig,
    MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)

SMALL = dict(vocab_size=32, hidden_size=16, intermediate_size=20, num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=32)
GPT2 = dict(vocab_size=32, n_positions=24, n_embd=16, n_layer=3, n_head=2)
NEO = dict(vocab_size=32, hidden_size=16, num_layers=4, num_heads=2, max_position_embeddings=24, window_size=4)
NEOX = dict(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=32)
LLAMA3 = dict(rope_type="llama3", rope_theta=500.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=8)

VARIANTS = {
    "gpt2-scaled-by-layer": (GPT2LMHeadModel, GPT2Config(
        **GPT2, scale_attn_by_inverse_layer_idx=True, activation_function="relu")),
    "gpt2-unscaled-wide-untied": (GPT2LMHeadModel, GPT2Config(
        **GPT2, scale_attn_weights=False, n_inner=40, tie_word_embeddings=False, layer_norm_epsilon=1e-3)),
    "gpt_neo-mixed-layers": (GPTNeoForCausalLM, GPTNeoConfig(
        **NEO, attention_types=[[["global"], 1], [["local", "global"], 1], [["local"], 1]], intermediate_size=12)),
    "gpt_neox-sequential-whole": (GPTNeoXForCausalLM, GPTNeoXConfig(
        **NEOX, use_parallel_residual=False, rope_parameters=dict(
            rope_type="default", rope_theta=500.0, partial_rotary_factor=1.0))),
    "gpt_neox-half-linear": (GPTNeoXForCausalLM, GPTNeoXConfig(
        **NEOX, hidden_act="gelu_new", rope_parameters=dict(
            rope_type="linear", factor=2.0, rope_theta=10000.0, partial_rotary_factor=0.5))),
    "gpt_neox-unbiased": (GPTNeoXForCausalLM, GPTNeoXConfig(**NEOX, attention_bias=False)),
    "llama-biased-linear": (LlamaForCausalLM, LlamaConfig(
        **SMALL, attention_bias=True, mlp_bias=True,
        rope_parameters=dict(rope_type="linear", rope_theta=2000.0, factor=3.0))),
    "llama-tied-llama3-wide-heads": (LlamaForCausalLM, LlamaConfig(
        **SMALL, head_dim=6, tie_word_embeddings=True, hidden_act="gelu", rope_parameters=LLAMA3)),
    "mistral-no-window": (MistralForCausalLM, MistralConfig(**SMALL, sliding_window=None, head_dim=8)),
    "mistral-window": (MistralForCausalLM, MistralConfig(**SMALL, sliding_window=3)),
    "qwen2-late-window": (Qwen2ForCausalLM, Qwen2Config(
        **SMALL, use_sliding_window=True, sliding_window=3, max_window_layers=1)),
    "qwen3-biased": (Qwen3ForCausalLM, Qwen3Config(
        **SMALL, attention_bias=True, head_dim=8, tie_word_embeddings=True)),
    "gemma2-uncapped": (Gemma2ForCausalLM, Gemma2Config(
        **SMALL, head_dim=8, query_pre_attn_scalar=16, sliding_window=3, attn_logit_softcapping=None,
        final_logit_softcapping=None)),
    "gemma2-capped": (Gemma2ForCausalLM, Gemma2Config(
        **SMALL, head_dim=4, query_pre_attn_scalar=4, sliding_window=4, attn_logit_softcapping=2.0,
        final_logit_softcapping=1.5)),
    "gemma3-two-bases": (Gemma3ForCausalLM, Gemma3TextConfig(
        **SMALL, head_dim=8, query_pre_attn_scalar=9, sliding_window=3,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        rope_parameters={"full_attention": dict(rope_type="linear", rope_theta=5000.0, factor=4.0),
                         "sliding_attention": dict(rope_type="default", rope_theta=50.0)})),
}


def older_spelling(config):
    """The same options as files written before rope_parameters have them; None where they have no rotary positions."""
    parameters = config.pop("rope_parameters", None)
    if parameters is None:
        return None
    if "full_attention" in parameters:
        config["rope_local_base_freq"] = parameters["sliding_attention"]["rope_theta"]
        parameters = parameters["full_attention"]
    neox = config["model_type"] == "gpt_neox"
    config["rotary_emb_base" if neox else "rope_theta"] = parameters.pop("rope_theta")
    share = parameters.pop("partial_rotary_factor", None)
    if share is not None:
        config["rotary_pct" if neox else "partial_rotary_factor"] = share
    config["rope_scaling"] = None if parameters["rope_type"] == "default" else parameters
    return config


def main():
    target = sys.argv[1]
    for name, (kind, config) in VARIANTS.items():
        torch.manual_seed(len(name))
        config._attn_implementation = "eager"
        model = kind(config).eval().float()
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                is_gain = "norm" in key and key.endswith("weight") or key.endswith(("ln_1.weight", "ln_2.weight"))
                centre = float(is_gain and not config.model_type.startswith("gemma"))
                parameter.copy_(centre + torch.randn_like(parameter) * (0.3 if parameter.dim() == 1 else 0.4))
        ids = torch.randint(1, 32, (3, 12))
        mask = torch.ones_like(ids)
        for row, length in enumerate((12, 7, 2)):
            mask[row, length:] = 0
            ids[row, length:] = 0
        with torch.no_grad():
            out = model(ids, attention_mask=mask, output_hidden_states=True)
        expected = {"input_ids": ids, "attention_mask": mask, "logits": out.logits.contiguous()}
        for layer in range(len(out.hidden_states) - 1):
            expected[f"blocks.{layer}.resid_pre"] = out.hidden_states[layer].contiguous()
        state = {key: value.contiguous() for key, value in model.state_dict().items()}
        if config.tie_word_embeddings:
            state.pop("lm_head.weight", None)
        path = os.path.join(target, name)
        os.makedirs(path, exist_ok=True)
        options = json.loads(config.to_json_string())
        write(os.path.join(path, "config.json"), options | {"architectures": [kind.__name__]})
        older = older_spelling(options)
        if older is not None:
            write(os.path.join(path, "config-older.json"), older)
        save_file(state, os.path.join(path, "model.safetensors"))
        save_file(expected, os.path.join(path, "expected.safetensors"))


def write(path, options):
    with open(path, "w") as file:
        json.dump(options, file, indent=1, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main()

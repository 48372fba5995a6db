"""Writes the benchmark's models: real shapes, random weights, fixed seeds.

usage: make_models.py SHAPE FOLDER [TOKENIZER_FOLDER]

Shapes: gpt2-small (float32), gpt2-xl-half (float16), llama-8b (bfloat16, 16 GB, sharded, written layer by layer),
or LAYERSxHEADSxWIDTH for a GPT-2 layout of any size in float32.
"""

import json
import os
import shutil
import sys

import torch
from safetensors.torch import save_file


def gpt2(folder, layers, heads, width, dtype):
    os.makedirs(folder, exist_ok=True)
    config = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": 50257, "n_positions": 1024,
        "n_embd": width, "n_layer": layers, "n_head": heads, "n_inner": None,
        "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "tie_word_embeddings": True,
        "bos_token_id": 50256, "eos_token_id": 50256, "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False, "reorder_and_upcast_attn": False,
    }
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
    generator = torch.Generator().manual_seed(0)

    def normal(*shape, scale=0.02):
        return (torch.randn(*shape, generator=generator) * scale).to(dtype)

    tensors = {"wte.weight": normal(50257, width), "wpe.weight": normal(1024, width, scale=0.01)}
    for layer in range(layers):
        p = f"h.{layer}."
        for norm in ("ln_1", "ln_2"):
            tensors[f"{p}{norm}.weight"] = torch.ones(width, dtype=dtype)
            tensors[f"{p}{norm}.bias"] = torch.zeros(width, dtype=dtype)
        tensors[f"{p}attn.c_attn.weight"] = normal(width, 3 * width)
        tensors[f"{p}attn.c_attn.bias"] = normal(3 * width)
        tensors[f"{p}attn.c_proj.weight"] = normal(width, width)
        tensors[f"{p}attn.c_proj.bias"] = normal(width)
        tensors[f"{p}mlp.c_fc.weight"] = normal(width, 4 * width)
        tensors[f"{p}mlp.c_fc.bias"] = normal(4 * width)
        tensors[f"{p}mlp.c_proj.weight"] = normal(4 * width, width)
        tensors[f"{p}mlp.c_proj.bias"] = normal(width)
    tensors["ln_f.weight"] = torch.ones(width, dtype=dtype)
    tensors["ln_f.bias"] = torch.zeros(width, dtype=dtype)
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})


def llama(folder, layers=32, width=4096, heads=32, groups=8, inner=14336, vocabulary=128256):
    os.makedirs(folder, exist_ok=True)
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": vocabulary,
        "hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": groups, "hidden_act": "silu",
        "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "rope_scaling": None,
        "tie_word_embeddings": False, "attention_bias": False, "mlp_bias": False, "torch_dtype": "bfloat16",
        "bos_token_id": 128000, "eos_token_id": 128001,
    }
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
    generator = torch.Generator().manual_seed(0)

    # One block of noise, read at shifting offsets: drawing eight billion normal numbers would take minutes.
    noise = (torch.randn(1 << 24, generator=generator) * 0.02).to(torch.bfloat16)

    def block(*shape):
        count = 1
        for length in shape:
            count *= length
        start = int(torch.randint(0, noise.numel(), (1,), generator=generator))
        repeated = noise.repeat(count // noise.numel() + 2)
        return repeated[start:start + count].reshape(shape).clone()

    index = {"metadata": {"total_size": 0}, "weight_map": {}}

    def save(name, tensors):
        save_file(tensors, os.path.join(folder, name), metadata={"format": "pt"})
        for key, tensor in tensors.items():
            index["weight_map"][key] = name
            index["metadata"]["total_size"] += tensor.numel() * 2

    key_width = width // heads * groups
    ones = torch.ones(width, dtype=torch.bfloat16)
    save("model-embed.safetensors", {"model.embed_tokens.weight": block(vocabulary, width)})
    for layer in range(layers):
        p = f"model.layers.{layer}."
        save(f"model-{layer:02}.safetensors", {
            p + "self_attn.q_proj.weight": block(width, width),
            p + "self_attn.k_proj.weight": block(key_width, width),
            p + "self_attn.v_proj.weight": block(key_width, width),
            p + "self_attn.o_proj.weight": block(width, width),
            p + "mlp.gate_proj.weight": block(inner, width),
            p + "mlp.up_proj.weight": block(inner, width),
            p + "mlp.down_proj.weight": block(width, inner),
            p + "input_layernorm.weight": ones.clone(),
            p + "post_attention_layernorm.weight": ones.clone(),
        })
    save("model-head.safetensors", {"model.norm.weight": ones, "lm_head.weight": block(vocabulary, width)})
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
        json.dump(index, file)


def mixture(folder, layers=18, width=2048, heads=32, groups=4, head=128, experts=128, chosen=8, inner=768,
            vocabulary=151936):
    """Qwen 3's 30 billion parameters with experts, in fewer layers."""
    os.makedirs(folder, exist_ok=True)
    config = {
        "model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "vocab_size": vocabulary,
        "hidden_size": width, "intermediate_size": 6144, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": groups, "head_dim": head, "hidden_act": "silu", "max_position_embeddings": 40960,
        "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "rope_scaling": None, "tie_word_embeddings": True,
        "attention_bias": False, "torch_dtype": "bfloat16", "num_experts": experts, "num_experts_per_tok": chosen,
        "moe_intermediate_size": inner, "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": [],
    }
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
    generator = torch.Generator().manual_seed(0)
    noise = (torch.randn(1 << 24, generator=generator) * 0.02).to(torch.bfloat16)

    def block(*shape):
        count = 1
        for length in shape:
            count *= length
        if count < noise.numel():  # experts are many and small
            start = int(torch.randint(0, noise.numel() - count, (1,), generator=generator))
            return noise[start:start + count].reshape(shape).clone()
        start = int(torch.randint(0, noise.numel(), (1,), generator=generator))
        repeated = noise.repeat(count // noise.numel() + 2)
        return repeated[start:start + count].reshape(shape).clone()

    ones = torch.ones(width, dtype=torch.bfloat16)
    index = {"metadata": {}, "weight_map": {}}

    def save(name, tensors):
        save_file(tensors, os.path.join(folder, name), metadata={"format": "pt"})
        index["weight_map"].update({key: name for key in tensors})

    save("model-embed.safetensors", {"model.embed_tokens.weight": block(vocabulary, width), "model.norm.weight": ones})
    for layer in range(layers):
        p = f"model.layers.{layer}."
        tensors = {
            p + "self_attn.q_proj.weight": block(heads * head, width),
            p + "self_attn.k_proj.weight": block(groups * head, width),
            p + "self_attn.v_proj.weight": block(groups * head, width),
            p + "self_attn.o_proj.weight": block(width, heads * head),
            p + "self_attn.q_norm.weight": torch.ones(head, dtype=torch.bfloat16),
            p + "self_attn.k_norm.weight": torch.ones(head, dtype=torch.bfloat16),
            p + "input_layernorm.weight": ones.clone(), p + "post_attention_layernorm.weight": ones.clone(),
            p + "mlp.gate.weight": block(experts, width),
        }
        for expert in range(experts):
            e = f"{p}mlp.experts.{expert}."
            tensors[e + "gate_proj.weight"] = block(inner, width)
            tensors[e + "up_proj.weight"] = block(inner, width)
            tensors[e + "down_proj.weight"] = block(width, inner)
        save(f"model-{layer:02}.safetensors", tensors)
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
        json.dump(index, file)


def main():
    shape, folder = sys.argv[1], sys.argv[2]
    if shape == "gpt2-small":
        gpt2(folder, 12, 12, 768, torch.float32)
    elif shape == "gpt2-xl-half":
        gpt2(folder, 48, 25, 1600, torch.float16)
    elif shape == "qwen3-moe-11b":
        mixture(folder)
    elif shape == "llama-8b":
        llama(folder)
    elif shape.count("x") == 2:
        layers, heads, width = (int(part) for part in shape.split("x"))
        gpt2(folder, layers, heads, width, torch.float32)
    else:
        sys.exit(__doc__)
    if len(sys.argv) > 3:
        shutil.copy(os.path.join(sys.argv[3], "tokenizer.json"), folder)


if __name__ == "__main__":
    main()

"""A tiny Llama in 8-bit floats with factors, and its logits on the widened weights by Hugging Face transformers.

    python float8.py        (torch, transformers and safetensors from PyPI)

Most matrices have a factor for each block of 8 × 8, one has a factor a row, one a single factor, one none.
"""
import json
import os

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "float8")
os.makedirs(FOLDER, exist_ok=True)
torch.manual_seed(2)
config = LlamaConfig(vocab_size=13, hidden_size=16, intermediate_size=10, num_hidden_layers=2, num_attention_heads=4,
                     num_key_value_heads=2, max_position_embeddings=16, bos_token_id=1, eos_token_id=2)
config._attn_implementation = "eager"
model = LlamaForCausalLM(config).eval()
state = {}
with torch.no_grad():
    for name, p in model.named_parameters():
        p.normal_(1.0 if p.dim() == 1 else 0.0, 0.3)
        if "_proj" not in name:
            state[name] = p.clone()
            continue
        rows, columns = p.shape
        if name.endswith("layers.0.self_attn.q_proj.weight"):
            scale, spread = p.abs().amax(1, keepdim=True) / 448, lambda s: s
        elif name.endswith("layers.0.self_attn.k_proj.weight"):
            scale, spread = p.abs().max().reshape(1) / 448, lambda s: s
        elif name.endswith("layers.0.self_attn.v_proj.weight"):
            scale, spread = None, None
        else:
            grid = torch.zeros((rows + 7) // 8, (columns + 7) // 8)
            for i in range(grid.shape[0]):
                for j in range(grid.shape[1]):
                    grid[i, j] = p[8 * i:8 * i + 8, 8 * j:8 * j + 8].abs().max() / 448
            scale, spread = grid, lambda s: s.repeat_interleave(8, 0)[:rows].repeat_interleave(8, 1)[:, :columns]
        kind = torch.float8_e5m2 if name.endswith("layers.1.mlp.up_proj.weight") else torch.float8_e4m3fn
        factors = 1.0 if scale is None else spread(scale)
        small = (p / factors).to(kind)
        state[name] = small
        if scale is not None:
            state[name + ("_scale" if scale.numel() == 1 else "_scale_inv")] = scale
        p.copy_(small.float() * factors)
    ids = torch.randint(3, 13, (2, 6))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    ids *= mask
    out = model(ids, attention_mask=mask, output_hidden_states=True)
save_file(state, os.path.join(FOLDER, "model.safetensors"))
save_file({"input_ids": ids, "attention_mask": mask, "logits": out.logits.contiguous(),
           "blocks.1.resid_pre": out.hidden_states[1].contiguous()}, os.path.join(FOLDER, "expected.safetensors"))
options = json.loads(config.to_json_string())
options["quantization_config"] = {"quant_method": "fp8", "weight_block_size": [8, 8], "activation_scheme": "dynamic"}
json.dump(options, open(os.path.join(FOLDER, "config.json"), "w"), indent=1, sort_keys=True)

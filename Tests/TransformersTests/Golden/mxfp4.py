"""A tiny GPT-OSS whose experts are stored in 4-bit floats, and its logits by Hugging Face transformers on the same widened.

    python mxfp4.py        (torch, transformers and safetensors from PyPI)
"""
import json
import os

import torch
from safetensors.torch import save_file
from transformers import GptOssConfig, GptOssForCausalLM
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mxfp4")
os.makedirs(FOLDER, exist_ok=True)
torch.manual_seed(4)
config = GptOssConfig(vocab_size=13, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
                      num_key_value_heads=1, head_dim=4, num_local_experts=3, num_experts_per_tok=2, sliding_window=3,
                      max_position_embeddings=16, rope_parameters=dict(rope_type="default", rope_theta=100.0))
config._attn_implementation = "eager"
config._experts_implementation = "eager"
model = GptOssForCausalLM(config).eval()
state = {}
with torch.no_grad():
    for name, p in model.named_parameters():
        if name.endswith(("gate_up_proj", "down_proj")):
            experts, inputs, outputs = p.shape
            blocks = torch.randint(0, 256, (experts, outputs, inputs // 32, 16), dtype=torch.uint8)
            scales = torch.randint(122, 126, (experts, outputs, inputs // 32), dtype=torch.uint8)
            state[name + "_blocks"], state[name + "_scales"] = blocks, scales
            p.copy_(convert_moe_packed_tensors(blocks, scales, dtype=torch.float32))
        else:
            p.normal_(1.0 if "norm" in name else 0.0, 0.3)
            state[name] = p.clone()
    ids = torch.randint(0, 13, (2, 6))
    out = model(ids)
save_file(state, os.path.join(FOLDER, "model.safetensors"))
save_file({"input_ids": ids, "logits": out.logits.contiguous()}, os.path.join(FOLDER, "expected.safetensors"))
options = json.loads(config.to_json_string())
options["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}
json.dump(options, open(os.path.join(FOLDER, "config.json"), "w"), indent=1, sort_keys=True)

"""Blocks of every GGUF format that is read, with what the `gguf` package makes of them; and small models as GGUF files.

    python make_gguf.py        (gguf, torch, transformers and safetensors from PyPI)

blocks.gguf holds a matrix of random blocks of each format; blocks.safetensors the same dequantised by the package.
../../TransformersTests/Golden/gguf/ gets models of three architectures, converted as llama.cpp converts them, beside the
logits of Hugging Face transformers on the dequantised weights.
"""
import os

import gguf
import numpy
import torch
from gguf import GGMLQuantizationType as Q
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "..", "TransformersTests", "Golden", "gguf")
rng = numpy.random.default_rng(5)


def blocks():
    writer = gguf.GGUFWriter(os.path.join(HERE, "blocks.gguf"), "llama")
    expected = {}
    for kind in (Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.Q2_K, Q.Q3_K, Q.Q4_K, Q.Q5_K, Q.Q6_K):
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        count = 3 * 256 // elements
        raw = rng.integers(0, 256, (3, 256 // elements * size), dtype=numpy.uint8).reshape(count, size)
        # Scales are half floats; random bytes would be infinite now and then.
        scale = {Q.Q2_K: [80, 82], Q.Q3_K: [108], Q.Q6_K: [208], Q.Q4_0: [0], Q.Q5_0: [0], Q.Q8_0: [0]}.get(kind, [0, 2])
        for place in scale:
            raw[:, place:place + 2] = rng.normal(0, 0.1, (count, 1)).astype(numpy.float16).view(numpy.uint8)
        raw = raw.reshape(3, -1)
        expected[kind.name] = torch.from_numpy(gguf.quants.dequantize(raw, kind).astype(numpy.float32))
        writer.add_tensor(kind.name, raw, raw_dtype=kind)
    finish(writer)
    save_file(expected, os.path.join(HERE, "blocks.safetensors"))


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def permuted(weight, heads):
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


NAMES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "post_feedforward_layernorm": "post_ffw_norm", "pre_feedforward_layernorm": "ffn_norm"}


def model(architecture, kinds, **options):
    torch.manual_seed(3)
    config = AutoConfig.for_model(architecture, vocab_size=32, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                                  num_attention_heads=4, num_key_value_heads=2, head_dim=8, max_position_embeddings=32, **options)
    net = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    writer = gguf.GGUFWriter(os.path.join(MODELS, architecture + ".gguf"), architecture)
    writer.add_context_length(32)
    writer.add_embedding_length(32)
    writer.add_block_count(2)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_key_length(8)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
        writer.add_sliding_window(config.sliding_window)
    with torch.no_grad():
        for index, (name, p) in enumerate(net.named_parameters()):
            value = torch.randn_like(p) * (0.3 if p.dim() == 1 else 0.4)
            if p.dim() == 1:
                value += 0.0 if architecture == "gemma2" else 1.0
            parts = name.split(".")
            if parts[1] == "layers":
                module = ".".join(parts[3:-1])
                own = NAMES.get(module, "post_attention_norm" if architecture == "gemma2" else "ffn_norm")
                own = f"blk.{parts[2]}.{own}.weight"
            else:
                own = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
                       "lm_head.weight": "output.weight"}[name]
            array = value.numpy()
            if p.dim() == 1:
                p.copy_(value)
                writer.add_tensor(own, array + (1 if architecture == "gemma2" else 0))
                continue
            if architecture == "llama" and parts[-2] in ("q_proj", "k_proj"):
                array = permuted(array, 4 if parts[-2] == "q_proj" else 2)
            kind = kinds[index % len(kinds)]
            raw = gguf.quants.quantize(array, kind)
            writer.add_tensor(own, raw, raw_dtype=kind)
            back = gguf.quants.dequantize(raw, kind).astype(numpy.float32).reshape(array.shape)
            if architecture == "llama" and parts[-2] in ("q_proj", "k_proj"):
                heads = 4 if parts[-2] == "q_proj" else 2
                back = back.reshape(heads, back.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(back.shape)
            p.copy_(torch.from_numpy(numpy.ascontiguousarray(back)))
    finish(writer)
    ids = torch.randint(0, 32, (2, 7))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    ids = ids * mask
    with torch.no_grad():
        out = net(ids, attention_mask=mask, output_hidden_states=True)
    save_file({"input_ids": ids, "attention_mask": mask, "logits": out.logits.contiguous(),
               "blocks.1.resid_pre": out.hidden_states[1].contiguous()}, os.path.join(MODELS, architecture + ".safetensors"))


os.makedirs(MODELS, exist_ok=True)
blocks()
model("llama", [Q.Q8_0, Q.F16, Q.Q4_0, Q.Q5_1], rms_norm_eps=1e-5)
model("qwen3", [Q.BF16, Q.Q5_0, Q.F32])
model("gemma2", [Q.Q8_0, Q.Q4_1, Q.F16], sliding_window=3, query_pre_attn_scalar=8, attn_logit_softcapping=5.0, final_logit_softcapping=7.0)

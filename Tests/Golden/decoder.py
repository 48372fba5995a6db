"""A decoder in plain PyTorch, written from the families' papers: the oracle of gradients and causal methods.

One prompt at a time, float64, no padding. Every place that can be read is a tensor of its own, under TransformerLens's
name; each query head reads copies of the residual stream of its own for queries, keys and values (`hook_q_input` …).
The scripts beside it check its logits against Hugging Face transformers before they use it.
"""
import json
import math

import torch
from safetensors.torch import load_file


class Decoder:
    def __init__(self, folder):
        self.config = c = json.load(open(f"{folder}/config.json"))
        w = {k: v.double() for k, v in load_file(f"{folder}/model.safetensors").items()}
        self.family = f = c["model_type"]
        self.rms = f not in ("gpt2", "gpt_neo", "gpt_neox")
        self.offset = 1.0 if f.startswith("gemma") else 0.0
        self.eps = c.get("layer_norm_epsilon", c.get("layer_norm_eps", c.get("rms_norm_eps")))
        self.layers = c.get("n_layer") or c.get("num_layers") or c["num_hidden_layers"]
        self.heads = c.get("n_head") or c.get("num_heads") or c["num_attention_heads"]
        self.groups = c.get("num_key_value_heads") or self.heads
        self.d = c.get("n_embd") or c["hidden_size"]
        self.dh = c.get("head_dim") or self.d // self.heads
        self.parallel = f == "gpt_neox" and c["use_parallel_residual"]
        self.logit_cap = c.get("final_logit_softcapping")
        self.score_cap = c.get("attn_logit_softcapping")
        self.embed_scale = torch.tensor(math.sqrt(self.d)).float().double().item() if f.startswith("gemma") else 1.0
        act = c.get("activation_function") or c.get("hidden_act") or c.get("hidden_activation")
        self.act = {
            "gelu_new": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
            "gelu_pytorch_tanh": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
            "gelu": torch.nn.functional.gelu, "silu": torch.nn.functional.silu,
        }[act]
        self.blocks = [self._block(w, i) for i in range(self.layers)]
        if f == "gpt2":
            self.embed, self.pos = w["transformer.wte.weight"], w["transformer.wpe.weight"]
            self.final = (w["transformer.ln_f.weight"], w["transformer.ln_f.bias"])
        elif f == "gpt_neo":
            self.embed, self.pos = w["transformer.wte.weight"], w["transformer.wpe.weight"]
            self.final = (w["transformer.ln_f.weight"], w["transformer.ln_f.bias"])
        elif f == "gpt_neox":
            self.embed, self.pos = w["gpt_neox.embed_in.weight"], None
            self.final = (w["gpt_neox.final_layer_norm.weight"], w["gpt_neox.final_layer_norm.bias"])
        else:
            self.embed, self.pos = w["model.embed_tokens.weight"], None
            self.final = (w["model.norm.weight"], None)
        self.unembed = next((w[n] for n in ("lm_head.weight", "embed_out.weight") if n in w), self.embed)

    def _block(self, w, i):
        f, H, G, dh, d = self.family, self.heads, self.groups, self.dh, self.d
        b = {"q_norm": None, "k_norm": None, "post1": None, "post2": None, "gate": None}

        def heads(weight, bias, n):  # [out, in] -> [n, d, dh]
            return weight.view(n, dh, d).transpose(1, 2), None if bias is None else bias.view(n, dh)

        if f == "gpt2":
            p = f"transformer.h.{i}."
            weight, bias = w[p + "attn.c_attn.weight"].T, w[p + "attn.c_attn.bias"]
            for j, k in enumerate("qkv"):
                b[k] = heads(weight[j * d:(j + 1) * d], bias[j * d:(j + 1) * d], H)
            b["o"] = (w[p + "attn.c_proj.weight"], w[p + "attn.c_proj.bias"])
            b["in"] = (w[p + "mlp.c_fc.weight"], w[p + "mlp.c_fc.bias"])
            b["out"] = (w[p + "mlp.c_proj.weight"], w[p + "mlp.c_proj.bias"])
            b["ln1"] = (w[p + "ln_1.weight"], w[p + "ln_1.bias"])
            b["ln2"] = (w[p + "ln_2.weight"], w[p + "ln_2.bias"])
            b["scale"], b["window"] = 1 / math.sqrt(dh), None
        elif f == "gpt_neo":
            p = f"transformer.h.{i}."
            for k in "qkv":
                b[k] = heads(w[p + f"attn.attention.{k}_proj.weight"], None, H)
            b["o"] = (w[p + "attn.attention.out_proj.weight"].T, w[p + "attn.attention.out_proj.bias"])
            b["in"] = (w[p + "mlp.c_fc.weight"].T, w[p + "mlp.c_fc.bias"])
            b["out"] = (w[p + "mlp.c_proj.weight"].T, w[p + "mlp.c_proj.bias"])
            b["ln1"] = (w[p + "ln_1.weight"], w[p + "ln_1.bias"])
            b["ln2"] = (w[p + "ln_2.weight"], w[p + "ln_2.bias"])
            local = self.config["attention_layers"][i] == "local"
            b["scale"], b["window"] = 1.0, self.config["window_size"] if local else None
        elif f == "gpt_neox":
            p = f"gpt_neox.layers.{i}."
            weight = w[p + "attention.query_key_value.weight"].view(H, 3, dh, d)
            bias = w[p + "attention.query_key_value.bias"].view(H, 3, dh)
            for j, k in enumerate("qkv"):
                b[k] = (weight[:, j].transpose(1, 2), bias[:, j])
            b["o"] = (w[p + "attention.dense.weight"].T, w[p + "attention.dense.bias"])
            b["in"] = (w[p + "mlp.dense_h_to_4h.weight"].T, w[p + "mlp.dense_h_to_4h.bias"])
            b["out"] = (w[p + "mlp.dense_4h_to_h.weight"].T, w[p + "mlp.dense_4h_to_h.bias"])
            b["ln1"] = (w[p + "input_layernorm.weight"], w[p + "input_layernorm.bias"])
            b["ln2"] = (w[p + "post_attention_layernorm.weight"], w[p + "post_attention_layernorm.bias"])
            b["scale"], b["window"] = 1 / math.sqrt(dh), None
        else:
            p = f"model.layers.{i}."
            for k, n in (("q", H), ("k", G), ("v", G)):
                b[k] = heads(w[p + f"self_attn.{k}_proj.weight"], w.get(p + f"self_attn.{k}_proj.bias"), n)
            b["o"] = (w[p + "self_attn.o_proj.weight"].T, None)
            b["q_norm"], b["k_norm"] = w.get(p + "self_attn.q_norm.weight"), w.get(p + "self_attn.k_norm.weight")
            b["gate"] = (w[p + "mlp.gate_proj.weight"].T, None)
            b["in"] = (w[p + "mlp.up_proj.weight"].T, None)
            b["out"] = (w[p + "mlp.down_proj.weight"].T, None)
            b["ln1"] = (w[p + "input_layernorm.weight"], None)
            if f.startswith("gemma"):
                b["post1"] = (w[p + "post_attention_layernorm.weight"], None)
                b["ln2"] = (w[p + "pre_feedforward_layernorm.weight"], None)
                b["post2"] = (w[p + "post_feedforward_layernorm.weight"], None)
                b["scale"] = self.config["query_pre_attn_scalar"] ** -0.5
            else:
                b["ln2"] = (w[p + "post_attention_layernorm.weight"], None)
                b["scale"] = 1 / math.sqrt(dh)
            kinds = self.config.get("layer_types")
            sliding = kinds[i] == "sliding_attention" if kinds else f == "mistral"
            b["window"] = self.config.get("sliding_window") if sliding else None
        b["rope"] = self._angles(i)
        return b

    def _angles(self, layer):
        rope = self.config.get("rope_parameters")
        if rope is None:
            return None
        kinds = self.config.get("layer_types")
        if kinds and kinds[layer] in rope:
            rope = rope[kinds[layer]]
        n = int(self.dh * rope.get("partial_rotary_factor", 1.0))
        # Frequencies in float32, as the published implementations compute them.
        inv = 1.0 / (rope["rope_theta"] ** (torch.arange(0, n, 2, dtype=torch.int64).float() / n))
        if rope["rope_type"] == "llama3":
            turns = rope["original_max_position_embeddings"] * inv / (2 * math.pi)
            low, high = rope["low_freq_factor"], rope["high_freq_factor"]
            blend = ((turns - low) / (high - low)).clamp(0, 1)
            inv = (1 - blend) * inv / rope["factor"] + blend * inv
        return inv

    def norm(self, x, p):
        weight, bias = p
        if self.rms:
            return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * (weight + self.offset)
        return torch.nn.functional.layer_norm(x, (x.shape[-1],), weight, bias, self.eps)

    def gated(self, gate, up):
        return gate * up

    def turn(self, x, inv):  # [T, H, dh]
        if inv is None:
            return x
        angle = (torch.arange(x.shape[0]).float()[:, None] * inv[None]).double()[:, None]
        n = angle.shape[-1]
        a, b, rest = x[..., :n], x[..., n:2 * n], x[..., 2 * n:]
        return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin(), rest], -1)

    def run(self, ids, edit=lambda name, x: x):
        """Logits [T, vocabulary] of one prompt. `edit(name, value)` sees, and may replace, the value at every place."""
        H, per = self.heads, self.heads // self.groups
        T = len(ids)
        x = edit("hook_embed", self.embed[ids] * self.embed_scale)
        if self.pos is not None:
            x = x + edit("hook_pos_embed", self.pos[:T])
        row, column = torch.arange(T)[:, None], torch.arange(T)[None]
        for i, b in enumerate(self.blocks):
            e = lambda name, value: edit(f"blocks.{i}.{name}", value)
            x = e("hook_resid_pre", x)
            copies = x[:, None].expand(T, H, self.d)
            vectors = {}
            for k in "qkv":
                group = torch.arange(H) // (1 if k == "q" else per)
                weight, bias = b[k]
                r = self.norm(e(f"hook_{k}_input", copies), b["ln1"])
                v = torch.einsum("thd,hde->the", r, weight[group])
                vectors[k] = e(f"attn.hook_{k}", v if bias is None else v + bias[group])
            q, k, v = vectors["q"], vectors["k"], vectors["v"]
            if b["q_norm"] is not None:
                q, k = self.norm(q, (b["q_norm"], None)), self.norm(k, (b["k_norm"], None))
            q, k = self.turn(q, b["rope"]), self.turn(k, b["rope"])
            s = torch.einsum("the,she->hts", q, k) * b["scale"]
            if self.score_cap:
                s = self.score_cap * torch.tanh(s / self.score_cap)
            s = e("attn.hook_attn_scores", s)
            hidden = column > row
            if b["window"]:
                hidden = hidden | (row - column >= b["window"])
            pattern = e("attn.hook_pattern", s.masked_fill(hidden, -math.inf).softmax(-1))
            z = e("attn.hook_z", torch.einsum("hts,she->the", pattern, v))
            wo, bo = b["o"]
            result = e("attn.hook_result", torch.einsum("the,hed->thd", z, wo.view(H, self.dh, self.d)))
            out = result.sum(1)
            out = e("attn.hook_out", out if bo is None else out + bo)
            if b["post1"] is not None:
                out = self.norm(out, b["post1"])
            out = e("hook_attn_out", out)
            if not self.parallel:
                x = x + out
                x = e("hook_resid_mid", x)
            m = self.norm(e("hook_mlp_in", x), b["ln2"])
            up = m @ b["in"][0] + (0 if b["in"][1] is None else b["in"][1])
            if b["gate"] is not None:
                pre = e("mlp.hook_pre", m @ b["gate"][0])
                post = self.gated(self.act(pre), up)
            else:
                post = self.act(e("mlp.hook_pre", up))
            post = e("mlp.hook_post", post)
            y = e("mlp.hook_out", post @ b["out"][0] + (0 if b["out"][1] is None else b["out"][1]))
            if b["post2"] is not None:
                y = self.norm(y, b["post2"])
            y = e("hook_mlp_out", y)
            x = x + y + (out if self.parallel else 0)
            x = e("hook_resid_post", x)
        x = edit("ln_final.hook_normalized", self.norm(x, self.final))
        logits = x @ self.unembed.T
        if self.logit_cap:
            logits = self.logit_cap * torch.tanh(logits / self.logit_cap)
        return edit("logits", logits)

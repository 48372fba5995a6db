"""A transformer in plain PyTorch for the families that `decoder.py` has not, with every place a tensor of its own.

It takes its parameters and angles from a Hugging Face model object and computes everything else by itself: one prompt at a
time, float64, no padding. Scripts check its logits, hidden states and attention weights against that model first.
"""
import math

import torch


def gelu_tanh(x):
    return torch.nn.functional.gelu(x, approximate="tanh")


ACT = {"gelu_new": gelu_tanh, "gelu_pytorch_tanh": gelu_tanh, "gelu": torch.nn.functional.gelu,
       "silu": torch.nn.functional.silu, "relu": torch.relu}


class Oracle:
    def __init__(self, model):
        self.model, c = model, model.config
        self.config, self.family = c, c.model_type
        self.w = {k: v.detach().double() for k, v in model.state_dict().items()}
        get = lambda *names, default=None: next((getattr(c, n) for n in names if getattr(c, n, None) is not None), default)
        self.layers = get("num_hidden_layers", "n_layer")
        self.heads = get("num_attention_heads", "n_head")
        self.d = get("hidden_size", "n_embd")
        self.dh = get("head_dim", default=self.d // self.heads)
        self.groups = get("num_key_value_heads", default=self.heads)
        self.rms = self.family in ("gemma", "phi3", "olmo2", "olmo3", "granite", "smollm3", "glm", "glm4", "mixtral",
                                   "qwen3_moe", "gpt_oss", "llama")
        self.eps = get("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", default=1e-5)
        self.offset = 1.0 if self.family == "gemma" else 0.0
        self.parallel = self.family in ("gptj", "phi", "cohere", "cohere2") or get("use_parallel_residual", default=False)
        self.causal = self.family not in ("bert", "roberta")
        self.embed_scale = get("embedding_multiplier", default=1.0)
        self.residual_scale = get("residual_multiplier", default=1.0)
        self.logit_scale = get("logit_scale", default=1.0) / get("logits_scaling", default=1.0)
        self.clip = get("clip_qkv")
        self.span = "all" if self.family in ("olmo2", "olmo3") else "each"
        self.act = ACT[get("hidden_act", "activation_function", "activation", default="gelu_new")]
        self.neighbours = self.family in ("gptj", "cohere", "cohere2", "glm", "glm4")
        self.embed_norm = self.transform = self.segment = self.pos = None
        getattr(self, "_" + self.family, self._llama)()

    # Where each family keeps its parameters.

    def _split(self, name, n):
        """[n·dh, d] → ([n, d, dh], bias)"""
        weight, bias = self.w[name + ".weight"], self.w.get(name + ".bias")
        return weight.view(n, self.dh, self.d).transpose(1, 2), None if bias is None else bias.view(n, self.dh)

    def _map(self, name):
        return self.w[name + ".weight"].T, self.w.get(name + ".bias")

    def _norm(self, name):
        return self.w[name + ".weight"], self.w.get(name + ".bias")

    def _blank(self):
        return dict(q_norm=None, k_norm=None, post1=None, post2=None, gate=None, sinks=None, experts=None, bias=None,
                    mid=None, end=None, ln1=None, ln2=None, window=None, rope=None, amplitude=1.0,
                    scale=1 / math.sqrt(self.dh))

    def _llama(self):
        w, f, c = self.w, self.family, self.config
        if f == "gemma":
            self.embed_scale = torch.tensor(math.sqrt(self.d)).float().double().item()
        kinds = getattr(c, "layer_types", None)
        rotary = self.model.model.rotary_emb
        self.blocks = []
        for i in range(self.layers):
            p, b = f"model.layers.{i}.", self._blank()
            if f == "phi3":
                n = self.heads * self.dh
                whole = w[p + "self_attn.qkv_proj.weight"]
                parts = whole.split([n, self.groups * self.dh, self.groups * self.dh])
                for k, part, count in zip("qkv", parts, (self.heads, self.groups, self.groups)):
                    b[k] = (part.view(count, self.dh, self.d).transpose(1, 2), None)
            else:
                for k, n in (("q", self.heads), ("k", self.groups), ("v", self.groups)):
                    b[k] = self._split(p + f"self_attn.{k}_proj", n)
            b["o"] = self._map(p + "self_attn.o_proj" if f != "phi" else p + "self_attn.dense")
            for k in "qk":
                if p + f"self_attn.{k}_norm.weight" in w:
                    b[k + "_norm"] = w[p + f"self_attn.{k}_norm.weight"]
            if f"{p}mlp.gate_up_proj.weight" in w:
                gate, up = w[p + "mlp.gate_up_proj.weight"].chunk(2)
                b["gate"], b["in"] = (gate.T, None), (up.T, None)
                b["out"] = self._map(p + "mlp.down_proj")
            elif f == "starcoder2":
                b["in"], b["out"] = self._map(p + "mlp.c_fc"), self._map(p + "mlp.c_proj")
            elif f == "phi":
                b["in"], b["out"] = self._map(p + "mlp.fc1"), self._map(p + "mlp.fc2")
            elif p + "mlp.experts.down_proj" in w:
                b["experts"] = self._experts(p + "mlp.")
            else:
                b["gate"], b["in"], b["out"] = (self._map(p + f"mlp.{k}_proj") for k in ("gate", "up", "down"))
            if f in ("olmo2", "olmo3"):
                b["post1"], b["post2"] = self._norm(p + "post_attention_layernorm"), self._norm(p + "post_feedforward_layernorm")
            elif f == "olmo":
                b["ln1"] = b["ln2"] = (None, None)
            else:
                b["ln1"] = self._norm(p + "input_layernorm")
                b["ln2"] = self._norm(p + "post_attention_layernorm") if not self.parallel else b["ln1"]
            if f == "glm4":
                b["post1"], b["post2"] = self._norm(p + "post_self_attn_layernorm"), self._norm(p + "post_mlp_layernorm")
            if f == "granite":
                b["scale"] = c.attention_multiplier
            b["sinks"] = w.get(p + "self_attn.sinks")
            window = getattr(c, "sliding_window", None)
            if kinds:
                window = window if kinds[i] == "sliding_attention" else None
            elif f == "qwen3_moe" and not c.use_sliding_window:
                window = None
            b["window"] = window
            name = f"{kinds[i]}_inv_freq" if kinds and hasattr(rotary, f"{kinds[i]}_inv_freq") else "inv_freq"
            b["rope"] = getattr(rotary, name)
            b["amplitude"] = getattr(rotary, name.replace("inv_freq", "attention_scaling"), 1.0)
            if f == "cohere2" and b["window"] is None or f == "smollm3" and not c.no_rope_layers[i]:
                b["rope"] = None
            self.blocks.append(b)
        self.embed = w["model.embed_tokens.weight"]
        last = {"olmo": None, "phi": "model.final_layernorm"}.get(f, "model.norm")
        self.final = (None, None) if last is None else self._norm(last)
        self.unembed, self.unembed_bias = w["lm_head.weight"], w.get("lm_head.bias")

    _phi = _llama

    def _experts(self, p):
        w, c = self.w, self.config
        router = "router" if self.family == "gpt_oss" else "gate"
        return dict(router=(w[p + router + ".weight"].T, w.get(p + router + ".bias")), k=c.num_experts_per_tok,
                    normalised=self.family != "qwen3_moe" or c.norm_topk_prob,
                    up=w[p + "experts.gate_up_proj"], up_bias=w.get(p + "experts.gate_up_proj_bias"),
                    down=w[p + "experts.down_proj"], down_bias=w.get(p + "experts.down_proj_bias"))

    def _opt(self):
        self.blocks = []
        for i in range(self.layers):
            p, b = f"model.decoder.layers.{i}.", self._blank()
            for k in "qkv":
                b[k] = self._split(p + f"self_attn.{k}_proj", self.heads)
            b["o"], b["in"], b["out"] = self._map(p + "self_attn.out_proj"), self._map(p + "fc1"), self._map(p + "fc2")
            norms = ("ln1", "ln2") if self.config.do_layer_norm_before else ("mid", "end")
            b[norms[0]], b[norms[1]] = self._norm(p + "self_attn_layer_norm"), self._norm(p + "final_layer_norm")
            self.blocks.append(b)
        self.embed = self.w["model.decoder.embed_tokens.weight"]
        self.pos = self.w["model.decoder.embed_positions.weight"][2:]
        last = "model.decoder.final_layer_norm"
        self.final = self._norm(last) if last + ".weight" in self.w else None
        self.unembed, self.unembed_bias = self.w["lm_head.weight"], None
        if "model.decoder.project_in.weight" in self.w:
            self.embed = self.embed @ self.w["model.decoder.project_in.weight"].T
            self.unembed = self.unembed @ self.w["model.decoder.project_out.weight"]

    def _gptj(self):
        n = self.config.rotary_dim
        inv = 1.0 / (10000 ** (torch.arange(0, n, 2, dtype=torch.int64).float() / n))
        self.blocks = []
        for i in range(self.layers):
            p, b = f"transformer.h.{i}.", self._blank()
            for k in "qkv":
                b[k] = self._split(p + f"attn.{k}_proj", self.heads)
            b["o"], b["in"], b["out"] = self._map(p + "attn.out_proj"), self._map(p + "mlp.fc_in"), self._map(p + "mlp.fc_out")
            b["ln1"] = b["ln2"] = self._norm(p + "ln_1")
            b["rope"] = inv
            self.blocks.append(b)
        self.embed, self.final = self.w["transformer.wte.weight"], self._norm("transformer.ln_f")
        self.unembed, self.unembed_bias = self.w["lm_head.weight"], self.w["lm_head.bias"]

    def _slopes(self):
        """The slopes of Press et al. 2021, section 3."""
        def powers(n):
            return [2 ** (-8 / n * (i + 1)) for i in range(n)]
        n = 2 ** math.floor(math.log2(self.heads))
        return torch.tensor(powers(n) + powers(2 * n)[::2][:self.heads - n]).double()

    def _falcon(self):
        c, w, self.blocks = self.config, self.w, []
        self.groups = c.num_kv_heads if c.new_decoder_architecture else 1 if c.multi_query else self.heads
        self.parallel = c.new_decoder_architecture or c.parallel_attn
        per = self.heads // self.groups
        for i in range(self.layers):
            p, b = f"transformer.h.{i}.", self._blank()
            weight = w[p + "self_attention.query_key_value.weight"].view(self.groups, per + 2, self.dh, self.d)
            bias = w.get(p + "self_attention.query_key_value.bias")
            bias = None if bias is None else bias.view(self.groups, per + 2, self.dh)
            for k, part in (("q", slice(0, per)), ("k", slice(per, per + 1)), ("v", slice(per + 1, per + 2))):
                b[k] = (weight[:, part].flatten(0, 1).transpose(1, 2), None if bias is None else bias[:, part].flatten(0, 1))
            b["o"], b["in"], b["out"] = (self._map(p + n) for n in (
                "self_attention.dense", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h"))
            if p + "ln_attn.weight" in w:
                b["ln1"], b["ln2"] = self._norm(p + "ln_attn"), self._norm(p + "ln_mlp")
            else:
                b["ln1"] = self._norm(p + "input_layernorm")
                b["ln2"] = b["ln1"] if self.parallel else self._norm(p + "post_attention_layernorm")
            if c.alibi:
                b["bias"] = lambda T, s=self._slopes(): (
                    s.float().bfloat16()[:, None] * torch.arange(T)[None]).double() * b_scale
                b_scale = b["scale"]
            else:
                b["rope"] = self.model.transformer.rotary_emb.inv_freq
            self.blocks.append(b)
        self.embed, self.final = w["transformer.word_embeddings.weight"], self._norm("transformer.ln_f")
        self.unembed, self.unembed_bias = w["lm_head.weight"], None

    def _bloom(self):
        w, self.blocks = self.w, []
        self.act = gelu_tanh
        for i in range(self.layers):
            p, b = f"transformer.h.{i}.", self._blank()
            weight = w[p + "self_attention.query_key_value.weight"].view(self.heads, 3, self.dh, self.d)
            bias = w[p + "self_attention.query_key_value.bias"].view(self.heads, 3, self.dh)
            for j, k in enumerate("qkv"):
                b[k] = (weight[:, j].transpose(1, 2), bias[:, j])
            b["o"], b["in"], b["out"] = (self._map(p + n) for n in (
                "self_attention.dense", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h"))
            b["ln1"], b["ln2"] = self._norm(p + "input_layernorm"), self._norm(p + "post_attention_layernorm")
            b["bias"] = lambda T: self._slopes()[:, None] * torch.arange(T)[None]
            self.blocks.append(b)
        self.embed, self.final = w["transformer.word_embeddings.weight"], self._norm("transformer.ln_f")
        self.embed_norm = self._norm("transformer.word_embeddings_layernorm")
        self.unembed, self.unembed_bias = w["lm_head.weight"], None

    def _bert(self):
        w, f, self.blocks = self.w, self.family, []
        for i in range(self.layers):
            p, b = f"{f}.encoder.layer.{i}.", self._blank()
            for k, n in zip("qkv", ("query", "key", "value")):
                b[k] = self._split(p + "attention.self." + n, self.heads)
            b["o"], b["in"], b["out"] = (self._map(p + n) for n in (
                "attention.output.dense", "intermediate.dense", "output.dense"))
            b["mid"], b["end"] = self._norm(p + "attention.output.LayerNorm"), self._norm(p + "output.LayerNorm")
            self.blocks.append(b)
        self.embed = w[f + ".embeddings.word_embeddings.weight"]
        first = self.config.pad_token_id + 1 if f == "roberta" else 0
        self.pos = w[f + ".embeddings.position_embeddings.weight"][first:]
        self.segment = w[f + ".embeddings.token_type_embeddings.weight"][0]
        self.embed_norm = self._norm(f + ".embeddings.LayerNorm")
        head = ("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias")
        if f == "roberta":
            head = ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias")
        self.transform, self.final, self.unembed_bias = self._map(head[0]), self._norm(head[1]), w[head[2]]
        self.unembed = self.embed

    _roberta = _bert

    # The computation.

    def norm(self, x, p, rms=None):
        if p is None:
            return x
        weight, bias = p
        if self.rms if rms is None else rms:
            y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)
        else:
            y = (x - x.mean(-1, keepdim=True)) * torch.rsqrt(x.var(-1, keepdim=True, unbiased=False) + self.eps)
        if weight is not None:
            y = y * (weight + self.offset)
        return y if bias is None else y + bias

    def head_norm(self, x, gain):
        """x [T, H, dh]; gain of one head, of all heads or of all groups (then once for each head that reads a group)."""
        if gain is None:
            return x
        if gain.numel() > self.dh:
            gain = gain.view(-1, self.dh)
            gain = gain.repeat_interleave(x.shape[1] // gain.shape[0], 0)
        if self.span == "all":
            return self.norm(x.flatten(1), (gain.reshape(-1), None)).view(x.shape)
        return self.norm(x, (gain, None))

    def turn(self, x, inv, amplitude):
        if inv is None:
            return x
        angle = (torch.arange(x.shape[0]).float()[:, None] * inv.float()[None]).double()[:, None]
        n = angle.shape[-1]
        cos, sin = angle.cos() * amplitude, angle.sin() * amplitude
        if self.neighbours:
            a, b = x[..., :2 * n:2], x[..., 1:2 * n:2]
            turned = torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)
        else:
            a, b = x[..., :n], x[..., n:2 * n]
            turned = torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
        return torch.cat([turned, x[..., 2 * n:]], -1)

    def experts(self, m, b, e):
        x = b["experts"]
        logits = m @ x["router"][0] + (0 if x["router"][1] is None else x["router"][1])
        logits = e("mlp.hook_router_logits", logits)
        top, index = logits.topk(x["k"], -1)
        share = top.softmax(-1) if x["normalised"] else logits.softmax(-1).gather(-1, index)
        weights = e("mlp.hook_expert_weights", torch.zeros_like(logits).scatter(-1, index, share))
        out = torch.zeros_like(m)
        for j in range(logits.shape[-1]):
            chosen = (index == j).any(-1)
            if not chosen.any():
                continue
            if self.family == "gpt_oss":
                h = m[chosen] @ x["up"][j] + x["up_bias"][j]
                g, u = h[:, ::2].clamp(max=self.config.swiglu_limit), h[:, 1::2]
                u = u.clamp(-self.config.swiglu_limit, self.config.swiglu_limit)
                y = (g * torch.sigmoid(self.config.swiglu_alpha * g) * (u + 1)) @ x["down"][j] + x["down_bias"][j]
            else:
                g, u = (m[chosen] @ x["up"][j].T).chunk(2, -1)
                y = (self.act(g) * u) @ x["down"][j].T
            out = out.index_add(0, chosen.nonzero()[:, 0], y * weights[chosen, j][:, None])
        return out

    def run(self, ids, edit=lambda name, x: x):
        H, per, T = self.heads, self.heads // self.groups, len(ids)
        add = lambda x, bias: x if bias is None else x + bias
        x = edit("hook_embed", self.embed[ids] * self.embed_scale)
        if self.pos is not None:
            x = x + edit("hook_pos_embed", self.pos[:T])
        x = self.norm(add(x, self.segment), self.embed_norm, rms=False if self.embed_norm else None)
        row, column = torch.arange(T)[:, None], torch.arange(T)[None]
        for i, b in enumerate(self.blocks):
            e = lambda name, value: edit(f"blocks.{i}.{name}", value)
            x = e("hook_resid_pre", x)
            copies, vectors = x[:, None].expand(T, H, self.d), {}
            for k in "qkv":
                group = torch.arange(H) // (1 if k == "q" else per)
                weight, bias = b[k]
                r = self.norm(e(f"hook_{k}_input", copies), b["ln1"])
                v = torch.einsum("thd,hde->the", r, weight[group])
                v = e(f"attn.hook_{k}", v if bias is None else v + bias[group])
                vectors[k] = v if self.clip is None else v.clamp(-self.clip, self.clip)
            q, k, v = self.head_norm(vectors["q"], b["q_norm"]), self.head_norm(vectors["k"], b["k_norm"]), vectors["v"]
            q, k = self.turn(q, b["rope"], b["amplitude"]), self.turn(k, b["rope"], b["amplitude"])
            s = torch.einsum("the,she->hts", q, k) * b["scale"]
            if b["bias"] is not None:
                s = s + b["bias"](T)[:, None]
            s = e("attn.hook_attn_scores", s)
            hidden = (column > row) if self.causal else torch.zeros(T, T, dtype=torch.bool)
            if b["window"]:
                hidden = hidden | (row - column >= b["window"])
            s = s.masked_fill(hidden, -math.inf)
            if b["sinks"] is not None:
                s = torch.cat([s, b["sinks"][:, None, None].expand(H, T, 1)], -1)
            pattern = e("attn.hook_pattern", s.softmax(-1)[..., :T])
            z = e("attn.hook_z", torch.einsum("hts,she->the", pattern, v))
            wo, bo = b["o"]
            result = e("attn.hook_result", torch.einsum("the,hed->thd", z, wo.reshape(H, self.dh, self.d)))
            out = self.norm(e("attn.hook_out", add(result.sum(1), bo)), b["post1"]) * self.residual_scale
            out = e("hook_attn_out", out)
            if not self.parallel:
                x = self.norm(e("hook_resid_mid", x + out), b["mid"], rms=False if b["mid"] else None)
            m = self.norm(e("hook_mlp_in", x), b["ln2"])
            if b["experts"] is not None:
                y = self.experts(m, b, e)
            else:
                up = add(m @ b["in"][0], b["in"][1])
                if b["gate"] is not None:
                    post = self.act(e("mlp.hook_pre", add(m @ b["gate"][0], b["gate"][1]))) * up
                else:
                    post = self.act(e("mlp.hook_pre", up))
                y = add(e("mlp.hook_post", post) @ b["out"][0], b["out"][1])
            y = self.norm(e("mlp.hook_out", y), b["post2"]) * self.residual_scale
            y = e("hook_mlp_out", y)
            x = e("hook_resid_post", x + y + (out if self.parallel else 0))
            x = self.norm(x, b["end"], rms=False if b["end"] else None)
        if self.transform is not None:
            x = self.act(add(x @ self.transform[0], self.transform[1]))
        if self.final is not None:
            x = edit("ln_final.hook_normalized", self.norm(x, self.final))
        return edit("logits", add(x @ self.unembed.T, self.unembed_bias) * self.logit_scale)

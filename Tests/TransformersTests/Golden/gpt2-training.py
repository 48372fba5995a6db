# Python 3.11, torch 2.13.0, transformers 5.x, safetensors: a tiny GPT-2's gradients and six steps of AdamW.
#
# Writes gpt2-training/config.json, gpt2-training/model.safetensors and gpt2-training/expected.safetensors beside this
# file: gradients of the mean cross-entropy over the tokens that count, and the parameters after six clipped AdamW steps
# with the rates in `rates`. Everything is computed in float64 and stored as float32.
import os

import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gpt2-training")
os.makedirs(folder, exist_ok=True)
torch.manual_seed(0)
config = GPT2Config(
    vocab_size=11, n_positions=8, n_embd=8, n_layer=2, n_head=2, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
    bos_token_id=0, eos_token_id=0,
)
model = GPT2LMHeadModel(config).float()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.add_(0.3 * torch.randn_like(parameter))
model.save_pretrained(folder)
if os.path.exists(os.path.join(folder, "generation_config.json")):
    os.remove(os.path.join(folder, "generation_config.json"))
model = model.double().train()

ids = torch.randint(0, 11, (3, 8))
lengths = torch.tensor([8, 5, 3])
mask = torch.arange(8)[None] < lengths[:, None]
ids = torch.where(mask, ids, 0)
labels = torch.where(mask, ids, -100)


def loss():
    return model(input_ids=ids, attention_mask=mask.long(), labels=labels).loss


def values(prefix, tensors):
    return {f"{prefix}.{n.removeprefix('transformer.')}": t.detach().float().clone() for n, t in tensors}


expected = {"input_ids": ids, "lengths": lengths}
value = loss()
value.backward()
expected["loss"] = value.detach().float().reshape(1)
expected |= values("gradient", [(n, p.grad) for n, p in model.named_parameters()])

decaying = [p for p in model.parameters() if p.dim() > 1]
others = [p for p in model.parameters() if p.dim() <= 1]
optimizer = torch.optim.AdamW(
    [{"params": decaying, "weight_decay": 0.1}, {"params": others, "weight_decay": 0}],
    betas=(0.9, 0.98), eps=1e-8,
)
rates = [0.005, 0.01, 0.02, 0.015, 0.01, 0.002]
norms = []
for rate in rates:
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    loss().backward()
    norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5))
    optimizer.step()
expected["rates"] = torch.tensor(rates)
expected["norms"] = torch.stack(norms).float()
expected |= values("after", model.named_parameters())
save_file(expected, os.path.join(folder, "expected.safetensors"))

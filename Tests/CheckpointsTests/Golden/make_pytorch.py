# Written with torch 2.13.0 and safetensors on Python 3.11. Run: python make_pytorch.py
#
# Small checkpoints as torch.save writes them, the same numbers as safetensors, and checkpoints that would run code.
import os
import pickle
import zipfile
from collections import OrderedDict

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(3)


def path(name):
    return os.path.join(HERE, name)


wte = torch.randn(7, 4)
whole = torch.randn(5, 6)
state = OrderedDict(
    {
        "wte.weight": torch.nn.Parameter(wte),
        "lm_head.weight": wte,
        "h.0.attn.c_attn.weight": torch.randn(12, 4).t(),
        "h.0.attn.c_attn.bias": torch.randn(12).half(),
        "h.0.ln_1.weight": torch.randn(4).bfloat16(),
        "h.0.attn.bias": torch.tril(torch.ones(3, 3, dtype=torch.bool)),
        "blocks.0.attn.W_Q": torch.randn(2, 3, 4).permute(0, 2, 1),
        "part": whole[1:4, 2:5],
        "rows": whole[2:4],
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
        "ids": torch.arange(300),
    }
)
torch.save(state, path("gpt2-style.bin"))
torch.save({"state_dict": dict(state), "step": 12, "lr": 1e-3, "tags": ["a", None, True]}, path("wrapped.pth"))
torch.save(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)).state_dict(), path("module.pt"))
save_file({k: v.detach().float().contiguous().clone() for k, v in state.items()}, path("gpt2-style.safetensors"))


class Command:
    def __reduce__(self):
        return (os.system, ("true",))


class Evaluated:
    def __reduce__(self):
        return (eval, ("1",))


torch.save({"weight": torch.ones(2), "extra": Command()}, path("os-system.pth"))
torch.save({"weight": Evaluated()}, path("eval.pth"))




def pickled(name, data, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path(name), "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/data/0", b"\0" * 16)


def tensor(count, offset, shape, strides):
    """A pickle of {"weight": tensor} written by hand."""
    number = lambda n: b"J" + n.to_bytes(4, "little", signed=True) if n < 1 << 31 else b"\x8a\x08" + n.to_bytes(8, "little", signed=True)
    tuple_ = lambda numbers: b"(" + b"".join(map(number, numbers)) + b"t"
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" + number(count) + b"tQ"
    call = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + tuple_(shape) + tuple_(strides) + b"\x89}tR"
    return b"\x80\x02}X\x06\0\0\0weight" + call + b"s."


pickled("absurd-shape.pth", tensor(4, 0, [1 << 40, 1 << 40], [1 << 40, 1]))
pickled("beyond-storage.pth", tensor(4, 2, [3], [1]))
pickled("overlapping.pth", tensor(4, 0, [1 << 30, 4], [0, 1]))
pickled("compressed.pth", tensor(4, 0, [4], [1]), zipfile.ZIP_DEFLATED)
pickled("sound.pth", tensor(4, 0, [2, 2], [1, 2]))
pickled("unknown-operation.pth", b"\x80\x02}\x92.")
pickled("deep.pth", b"\x80\x02)" + b"\x85" * 5000 + b".")

"""h5py 3.16, numpy 2.4: recordings as another program writes them, sound and broken. Run in this folder."""

import h5py
import numpy as np

TEXT = h5py.string_dtype("utf-8")


def write(path, change=lambda file: None):
    rng = np.random.default_rng(5)
    n, t, layers, heads, width = 4, 3, 2, 2, 5
    with h5py.File(path, "w") as file:
        file["head_outputs"] = rng.standard_normal((n, layers, heads, width)).astype("f4")
        file["tokens"] = np.array([[1, 2, 3], [4, 5, -1], [6, 7, 8], [9, -1, -1]], "i4")
        file["lengths"] = np.array([3, 2, 3, 1], "i4")
        file["labels"] = np.array([1, 1, 0, 0], "u1")
        file["pairs"] = np.array([2, 3, 0, -1], "i4")
        file["recorded"] = np.ones(n, "u1")
        file.create_dataset("prompts", data=["un", "deux — 二", "", "quatre\n"], dtype=TEXT)
        for name, value in {
            "schema_version": 1, "model": "tiny", "model_sha256": "ab" * 32, "n_layers": layers,
            "n_heads": heads, "d_model": width, "position": "mean", "bos": np.bool_(True), "task": "ioi",
            "seed": np.uint64(2**63 + 1), "dtype": "float32", "created_by": "h5py", "complete": np.bool_(True),
        }.items():
            file.attrs[name] = value
        change(file)


def replaced(name, data):
    def change(file):
        del file[name]
        file[name] = data
    return change


def attribute(name, value):
    def change(file):
        file.attrs[name] = value
    return change


def without(name):
    def change(file):
        del file.attrs[name]
    return change


write("sound.h5")
write("nan.h5", lambda file: file["head_outputs"].__setitem__((2, 1, 0, 3), np.nan))
write("shape.h5", replaced("head_outputs", np.zeros((4, 2, 3, 5), "f4")))
write("rank.h5", replaced("head_outputs", np.zeros((4, 20), "f4")))
write("integers.h5", replaced("head_outputs", np.zeros((4, 2, 2, 5), "i4")))
write("labels.h5", replaced("labels", np.array([1, 1, 0, 7], "u1")))
write("lengths.h5", replaced("lengths", np.array([3, 2, 4, 1], "i4")))
write("pairs.h5", replaced("pairs", np.array([1, -1, -1, -1], "i4")))
write("fewer.h5", replaced("labels", np.array([1, 1, 0], "u1")))
write("attribute.h5", without("model_sha256"))
write("type.h5", attribute("task", 3))
write("schema.h5", attribute("schema_version", 9))
write("unfinished.h5", attribute("complete", np.bool_(False)))


def linked(file):
    del file["tokens"]
    file["tokens"] = h5py.ExternalLink("/etc/passwd", "/tokens")


def raw(file):
    del file["head_outputs"]
    file.create_dataset("head_outputs", (4, 2, 2, 5), "f4", external=[("/etc/passwd", 0, 320)])


def absurd(file):
    for name in ("head_outputs", "tokens", "lengths", "labels", "pairs", "recorded", "prompts"):
        old = file[name]
        shape, kind = (1 << 30,) + old.shape[1:], old.dtype
        del file[name]
        file.create_dataset(name, shape, kind, chunks=(1024,) + shape[1:])


write("linked.h5", linked)
write("raw.h5", raw)
write("absurd.h5", absurd)
with h5py.File("foreign.h5", "w") as file:
    file["x"] = np.arange(3)

#!/usr/bin/env python3
"""Writes a GPT-2 of any size with random weights in float32, which needs nothing but Python:

random_model.py FOLDER [--layers 6] [--d-model 64] [--heads 4] [--vocabulary 200] [--context 64]

--layers 24 --d-model 1312 --heads 16 --vocabulary 8000 is 2 GB. Weights repeat one block of 65,536 random numbers, each
tensor from another place on, so that large models are written quickly.
"""
import argparse, array, json, os, random, struct

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--layers", type=int, default=6)
parser.add_argument("--d-model", type=int, default=64)
parser.add_argument("--heads", type=int, default=4)
parser.add_argument("--vocabulary", type=int, default=200)
parser.add_argument("--context", type=int, default=64)
options = parser.parse_args()

generator = random.Random(7)
block = array.array("f", (generator.gauss(0, 0.02) for _ in range(1 << 16)))
width = options.d_model
shapes = {"wte.weight": [options.vocabulary, width], "wpe.weight": [options.context, width]}
for layer in range(options.layers):
    for name, shape in {
        "ln_1.weight": [width], "ln_1.bias": [width], "ln_2.weight": [width], "ln_2.bias": [width],
        "attn.c_attn.weight": [width, 3 * width], "attn.c_attn.bias": [3 * width],
        "attn.c_proj.weight": [width, width], "attn.c_proj.bias": [width],
        "mlp.c_fc.weight": [width, 4 * width], "mlp.c_fc.bias": [4 * width],
        "mlp.c_proj.weight": [4 * width, width], "mlp.c_proj.bias": [width],
    }.items():
        shapes[f"h.{layer}.{name}"] = shape
shapes |= {"ln_f.weight": [width], "ln_f.bias": [width]}

header, offset = {}, 0
for name, shape in shapes.items():
    count = shape[0] * (shape[1] if len(shape) > 1 else 1)
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + 4 * count]}
    offset += 4 * count
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)

os.makedirs(options.folder, exist_ok=True)
with open(options.folder + "/model.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for name, shape in shapes.items():
        left = shape[0] * (shape[1] if len(shape) > 1 else 1)
        if name.endswith(".weight") and len(shape) == 1:
            file.write(array.array("f", [1.0] * left).tobytes())
            continue
        start = generator.randrange(len(block))
        turned = (block[start:] + block[:start]).tobytes()
        while left > 0:
            count = min(left, len(block))
            file.write(turned[: 4 * count])
            left -= count
with open(options.folder + "/config.json", "w") as file:
    json.dump(
        {"model_type": "gpt2", "n_layer": options.layers, "n_head": options.heads, "n_embd": width,
         "vocab_size": options.vocabulary, "n_positions": options.context}, file)

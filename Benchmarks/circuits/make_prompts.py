"""Writes random token prompts as JSON lines: `make_prompts.py COUNT LENGTH FILE`; the second half are negatives.

Each negative is tied to its positive and differs in one token in the middle. Positives have a random right and wrong
answer.
"""

import json
import random
import sys

count, length, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
random.seed(0)
positives = [[random.randrange(50256) for _ in range(length)] for _ in range(count // 2)]
draw = random.Random(1)
answers = [draw.sample(range(50256), 2) for _ in positives]
with open(path, "w") as file:
    for index, tokens in enumerate(positives):
        file.write(json.dumps({"tokens": tokens, "label": 1, "pair": index,
                               "answer": answers[index][0], "wrong": answers[index][1]}) + "\n")
    for index, tokens in enumerate(positives):
        changed = list(tokens)
        changed[length // 2] = random.randrange(50256)
        file.write(json.dumps({"tokens": changed, "label": 0, "pair": index}) + "\n")

"""A small file of tiktoken's kind under a known name, and what tiktoken makes of strings.json with it.

    python make_tiktoken.py        (tiktoken from PyPI)

The tokens are all bytes and the most frequent strings of the other files' corpus, ranked by frequency.
"""
import base64
import collections
import json
import os

import tiktoken

HERE = os.path.dirname(os.path.abspath(__file__))
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
strings = json.load(open(os.path.join(HERE, "strings.json"), encoding="utf-8"))
counts = collections.Counter()
for text in strings:
    raw = text.encode()
    for length in range(2, 7):
        counts.update(raw[i:i + length] for i in range(len(raw) - length + 1))
# A token is kept if it can be made of two others, as in tables that were trained.
ranks = {bytes([b]): b for b in range(256)}
for length in range(2, 7):
    for token, _ in counts.most_common(3000):
        if len(token) == length and any(token[:i] in ranks and token[i:] in ranks for i in range(1, length)):
            ranks.setdefault(token, len(ranks))
encoding = tiktoken.Encoding("small", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 100257})
with open(os.path.join(HERE, "cl100k_base.tiktoken"), "w") as out:
    for token, rank in ranks.items():
        out.write(f"{base64.b64encode(token).decode()} {rank}\n")
texts = [s for s in strings[-700:] if "\ud800" not in s] + ["a<|endoftext|>b", "<|endoftext|>"]
with open(os.path.join(HERE, "tiktoken-ids.json"), "w", encoding="utf-8") as out:
    json.dump({"texts": texts, "ids": [encoding.encode(s, allowed_special="all") for s in texts]}, out, ensure_ascii=False,
              separators=(",", ":"))
print(len(ranks), "tokens")

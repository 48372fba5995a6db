# Written with tokenizers 0.23.3 on Python 3.11. Run: python make_unicode_table.py OUTPUT.swift
#
# Asks the package itself, for every code point, what its regular expressions and pre-tokenizers take it for, and
# writes Sources/Tokenizers/Unicode/CharacterTable.swift: one number a run of equal code points. Takes some minutes.
import sys

import tokenizers
from tokenizers import Regex, pre_tokenizers

CATEGORIES = (
    "Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()
)
code_points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
everything = "".join(map(chr, code_points))


def members(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    return {ord(c) for piece, _ in split.pre_tokenize_str(everything) for c in piece}


flags = [0] * 0x110000
for number, category in enumerate(CATEGORIES):
    if category != "Cn":
        for c in members(r"\p{%s}" % category):
            flags[c] = number
word, digits = pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)
punctuation = pre_tokenizers.Punctuation()
for c in code_points:
    between = f"a{chr(c)}a"
    if len(word.pre_tokenize_str(between)) == 1:
        flags[c] |= 32
    if len(digits.pre_tokenize_str(between)) == 3:
        flags[c] |= 64
    if len(punctuation.pre_tokenize_str(between)) == 3:
        flags[c] |= 128

runs, last = [], None
for c, f in enumerate(flags):
    if f != last:
        runs.append(f"0x{c << 8 | f:x}")
        last = f

lines, line = [], "   "
for run in runs:
    if len(line) + len(run) + 2 > 108:
        lines.append(line)
        line = "   "
    line += " " + run + ","
lines.append(line)
with open(sys.argv[1], "w") as out:
    out.write(
        f"""// Made by Tests/TokenizersTests/Golden/make_unicode_table.py from tokenizers {tokenizers.__version__}; do not edit.

/// What every code point is, as runs: `first code point << 8 | flags`, in ascending order. The flags are
/// `CharacterClass`'s.
enum CharacterTable {{
  static let runs: [UInt32] = [
"""
    )
    out.write("\n".join(lines) + "\n  ]\n}\n")
print(len(runs), "runs")

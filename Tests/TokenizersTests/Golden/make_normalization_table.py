# Written with tokenizers 0.23.3 on Python 3.11 (unicodedata 14). Run: python make_normalization_table.py OUTPUT.swift
#
# Asks the package how it normalises every code point (it follows an older Unicode than its regular expressions) and
# writes Sources/Tokenizers/Unicode/NormalizationTable.swift. The standard's data only split three-part compositions.
import sys
import unicodedata

import tokenizers
from tokenizers import normalizers

nfc, nfd, nfkd = normalizers.NFC(), normalizers.NFD(), normalizers.NFKD()
strip = normalizers.StripAccents()
code_points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]

decompositions, compositions, classes, marks = [], [], {}, []
for c in code_points:
    char = chr(c)
    if strip.normalize_str(char) == "":
        marks.append(c)
    # U+0345 has the highest class, 240: every other mark goes before it.
    # (What ends with it in decomposed form seems to move too, and has no class of its own.)
    moves = nfd.normalize_str("a\u0345" + char).endswith("\u0345") and nfd.normalize_str(char) == char
    if c == 0x345 or moves:
        classes[c] = unicodedata.combining(char)
    if 0xAC00 <= c <= 0xD7A3:
        continue
    canonical, compatible = nfd.normalize_str(char), nfkd.normalize_str(char)
    if canonical != char:
        decompositions += [c << 8 | len(canonical), *map(ord, canonical)]
        if nfc.normalize_str(canonical) == char:
            first, second = (int(part, 16) for part in unicodedata.decomposition(char).split())
            compositions += [first, second, c]
    if compatible != canonical:
        decompositions += [c << 8 | 128 | len(compatible), *map(ord, compatible)]
assert all(classes.values())


def runs(values):
    """[first, count, value] for each run of equal neighbours."""
    result = []
    for c, value in sorted(values.items()):
        if result and result[-3] + result[-2] == c and result[-1] == value:
            result[-2] += 1
        else:
            result += [c, 1, value]
    return result


def literal(name, comment, values):
    lines, line = [], "   "
    for value in values:
        text = f" 0x{value:x},"
        if len(line) + len(text) > 109:
            lines.append(line)
            line = "   "
        line += text
    lines.append(line)
    return f"  /// {comment}\n  static let {name}: [UInt32] = [\n" + "\n".join(lines) + "\n  ]\n"


with open(sys.argv[1], "w") as out:
    out.write(
        f"// Made by Tests/TokenizersTests/Golden/make_normalization_table.py from tokenizers {tokenizers.__version__};"
        " do not edit.\n\n/// How code points decompose and compose, Hangul syllables apart.\nenum NormalizationTable {\n"
    )
    out.write(literal("classes", "Canonical combining classes: first code point, count, class.", runs(classes)))
    out.write(literal("marks", "Marks that `StripAccents` removes: first code point, count, 1.", runs(dict.fromkeys(marks, 1))))
    out.write(literal("compositions", "First and second code point, and what they become.", compositions))
    out.write(literal("decompositions",
        "`code point << 8 | compatibility << 7 | count` and as many code points, in full.", decompositions))
    out.write("}\n")
print(len(classes), len(marks), len(compositions) // 3, len(decompositions))

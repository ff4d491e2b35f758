#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes pricing/unicode_table.c on standard output: the class of each code point that the split
patterns of pricing/split.c tell apart, from this Python's unicodedata. With `--check FILE` it says
whether the committed file still agrees: every code point that this Python's Unicode knows must have
the class that it has there, whatever version either of them is of. (Building needs no Python.)"""

import re
import sys
import unicodedata

BLOCK = 128

# White_Space without the two line breaks of the patterns; tokenizers differ only in U+0085 and U+FEFF.
SPACES = (
    {0x09, 0x0B, 0x0C, 0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
    | set(range(0x2000, 0x200B))
)
# Letters whose case differs from one version of Unicode to the next: checked by nobody.
MOVED = {0x0295}
OTHER, MARK, SPACE, BREAK, NUMBER, UPPER, LOWER, CASELESS = 0, 1, 2, 4, 8, 16, 32, 64


def class_of(code):
    if code in (0x0A, 0x0D):
        return BREAK
    if code in SPACES:
        return SPACE
    category = unicodedata.category(chr(code))
    if category in ("Lu", "Lt"):
        return UPPER
    if category == "Ll":
        return LOWER
    if category in ("Lm", "Lo"):
        return CASELESS
    return {"M": MARK, "N": NUMBER}.get(category[0], OTHER)


def rows(numbers, format_of):
    line, lines = "   ", []
    for number in numbers:
        word = " " + format_of(number) + ","
        if len(line) + len(word) > 100:
            lines.append(line)
            line = "   "
        line += word
    return "\n".join(lines + [line])


def nibble(value):
    return value.bit_length()


def packed(block):
    """Two classes a byte, the first one in the low half, each as the number of its bit, from 1."""
    return [nibble(a) | nibble(b) << 4 for a, b in zip(block[::2], block[1::2])]


def write(out):
    classes = [class_of(code) for code in range(0x110000)]
    # Far above all letters stands one range of marks (variation selectors), which the header names.
    tail = [code for code in range(0xE0000, 0x110000) if classes[code] != OTHER]
    assert tail == list(range(0xE0100, 0xE01F0)) and all(classes[c] == MARK for c in tail)
    end = 1 + max(code for code in range(0xE0000) if classes[code] != OTHER)
    end += -end % BLOCK
    blocks, index = [], []
    for start in range(0, end, BLOCK):
        block = classes[start : start + BLOCK]
        if block not in blocks:
            blocks.append(block)
        index.append(blocks.index(block))
    assert end == 0x32400 and len(blocks) <= 256, (hex(end), len(blocks))
    out.write(
        "/* SPDX-License-Identifier: Apache-2.0 */\n"
        "/* Written by tools/gen/unicode.py from the general categories of Unicode %s; see\n"
        " * unicode_table.h. */\n"
        '#include "pricing/unicode_table.h"\n\n'
        "const unsigned char unicode_blocks[UNICODE_TABLE_END / UNICODE_BLOCK] = {\n%s\n};\n\n"
        "const unsigned char unicode_ascii[UNICODE_BLOCK] = {\n%s\n};\n\n"
        "const unsigned char unicode_classes[][UNICODE_BLOCK / 2] = {\n"
        % (unicodedata.unidata_version, rows(index, str), rows(blocks[0], str))
    )
    for block in blocks:
        out.write("    {\n%s\n    },\n" % rows(packed(block), str))
    out.write("};\n")


def numbers(text, name):
    body = text[text.index(name) :]
    body = body[body.index("= {") + 3 : body.index("};")]
    return [int(number) for number in re.findall(r"\d+", body)]


def check(path):
    text = open(path, encoding="ascii").read()
    index = numbers(text, "unicode_blocks[")
    pairs = numbers(text, "unicode_classes[")
    flat = [(1 << half) >> 1 for pair in pairs for half in (pair & 15, pair >> 4)]
    wrong = ["the ASCII table differs"] if numbers(text, "unicode_ascii[") != flat[:BLOCK] else []
    for code in range(0xE0000):
        if unicodedata.category(chr(code)) == "Cn" or code in MOVED:
            continue
        block = index[code // BLOCK] if code // BLOCK < len(index) else None
        has = OTHER if block is None else flat[block * BLOCK + code % BLOCK]
        if has != class_of(code):
            wrong.append("U+%04X has class %d, not %d" % (code, has, class_of(code)))
    for line in wrong[:10]:
        print("%s: %s" % (path, line))
    version = unicodedata.unidata_version
    print("%s: %d findings against Unicode %s" % (path, len(wrong), version))
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        sys.exit(check(sys.argv[2]))
    write(sys.stdout)

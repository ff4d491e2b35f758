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
CELL = 4

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


def packed(cell):
    """Two classes a byte, the first one in the low half, each as the number of its bit, from 1."""
    return [nibble(a) | nibble(b) << 4 for a, b in zip(cell[::2], cell[1::2])]


def numbered(values, size):
    """Cuts the values into pieces: the pieces that differ, and which of them comes where."""
    pieces = {}
    places = [
        pieces.setdefault(tuple(values[start : start + size]), len(pieces))
        for start in range(0, len(values), size)
    ]
    return list(pieces), places


def written(classes, version):
    cells, places = numbered(classes, CELL)
    blocks, index = numbered(places, BLOCK // CELL)
    assert len(cells) <= 256 and len(blocks) <= 256, (len(cells), len(blocks))
    return (
        "/* SPDX-License-Identifier: Apache-2.0 */\n"
        "/* Written by tools/gen/unicode.py from the general categories of Unicode %s; see\n"
        " * unicode_table.h. */\n"
        '#include "pricing/unicode_table.h"\n\n'
        "const unsigned char unicode_blocks[UNICODE_TABLE_END / UNICODE_BLOCK] = {\n%s\n};\n\n"
        "const unsigned char unicode_ascii[UNICODE_BLOCK] = {\n%s\n};\n\n"
        "const unsigned char unicode_cells[][UNICODE_BLOCK / UNICODE_CELL] = {\n%s};\n\n"
        "const unsigned char unicode_classes[][UNICODE_CELL / 2] = {\n%s\n};\n"
        % (
            version,
            rows(index, str),
            rows(classes[:BLOCK], str),
            "".join("    {\n%s\n    },\n" % rows(block, str) for block in blocks),
            rows(["{%d, %d}" % tuple(packed(cell)) for cell in cells], str),
        )
    )


def write(out):
    classes = [class_of(code) for code in range(0x110000)]
    # Far above all letters stands one range of marks (variation selectors), which the header names.
    tail = [code for code in range(0xE0000, 0x110000) if classes[code] != OTHER]
    assert tail == list(range(0xE0100, 0xE01F0)) and all(classes[c] == MARK for c in tail)
    end = 1 + max(code for code in range(0xE0000) if classes[code] != OTHER)
    end += -end % BLOCK
    assert end == 0x32400, hex(end)
    out.write(written(classes[:end], unicodedata.unidata_version))


def numbers(text, name):
    body = text[text.index(name) :]
    body = body[body.index("= {") + 3 : body.index("};")]
    return [int(number) for number in re.findall(r"\d+", body)]


def check(path):
    text = open(path, encoding="ascii").read()
    index = numbers(text, "unicode_blocks[")
    pairs = numbers(text, "unicode_classes[")
    halves = [(1 << half) >> 1 for pair in pairs for half in (pair & 15, pair >> 4)]
    cells = numbers(text, "unicode_cells[")
    flat = [halves[cell * CELL + i] for cell in cells for i in range(CELL)]
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

# SPDX-License-Identifier: Apache-2.0
# bare.awk: C without comments and without what stands inside literals, as "file:line:code".
# Names in #include lines stay.
FNR == 1 { in_comment = 0 }
{
    left = $0
    out = ""
    while (left != "") {
        if (in_comment) {
            end = index(left, "*/")
            if (end == 0) break
            left = substr(left, end + 2)
            in_comment = 0
            out = out " "
            continue
        }
        if (!match(left, /\/\*|\/\/|"|'/)) {
            out = out left
            break
        }
        mark = substr(left, RSTART, RLENGTH)
        out = out substr(left, 1, RSTART - 1)
        left = substr(left, RSTART + RLENGTH)
        if (mark == "/*") {
            in_comment = 1
        } else if (mark == "//") {
            break
        } else {
            if (mark == "\"") match(left, /^([^"\\]|\\.)*/)
            else match(left, /^([^'\\]|\\.)*/)
            kept = out ~ /^[ \t]*#[ \t]*include/ ? substr(left, 1, RLENGTH) : ""
            out = out mark kept mark
            left = substr(left, RLENGTH + 2)
        }
    }
    print FILENAME ":" FNR ":" out
}

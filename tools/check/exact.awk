# SPDX-License-Identifier: Apache-2.0
# exact.awk: reads "file:line:code". mode=code: without comments and strings; mode=text: as written.
# One word for all of it in allow.txt: floating.
function are_ours(symbol) { return symbol == "floating" }
function tell(said) {
    if (!is_allowed(file, "floating")) print file ":" line ": " said ": money and tokens know no floating point"
}
BEGIN {
    count = split("float double _Complex float_t double_t strtod strtof strtold atof wcstod nan floor ceil round trunc pow modf ldexp frexp lround llround rint difftime", names, " ")
    for (i = 1; i <= count; i++) is_float[names[i]] = 1
    read_allow()
}
{
    match($0, /^[^:]*:[0-9]*:/)
    split(substr($0, 1, RLENGTH), part, ":")
    file = part[1]
    line = part[2]
    code = substr($0, RLENGTH + 1)
    if (mode == "text") {
        # %f, %.2f, %*.*e, %5g, %lf: inside a string. "%2e" and "%2f" are bytes of a URL.
        gsub(/"%2[ef]"/, "", code)
        if (code ~ /"[^"]*%[-+ #0]*[0-9*]*(\.[0-9*]*)?[lL]?[aAeEfFgG]/) tell("a format of floating point")
        next
    }
    if (code ~ /^[ \t]*#[ \t]*include[ \t]*[<"](math|tgmath|complex|fenv|float)\.h/) tell("a header of floating point")
    rest = code
    before = ""
    while (match(rest, /[A-Za-z_][A-Za-z_0-9]*/)) {
        word = substr(rest, RSTART, RLENGTH)
        lead = before substr(rest, 1, RSTART - 1)
        rest = substr(rest, RSTART + RLENGTH)
        before = "x"
        if (!(word in is_float) || lead ~ /(\.|->)[ \t]*$/) continue
        # Words that are functions elsewhere may be names of ours, unless they are called.
        if (word !~ /^(float|double|_Complex|float_t|double_t)$/ && rest !~ /^[ \t]*\(/) continue
        tell(word)
    }
    # 1.5, 1., .5, 1e6: digits of a hexadecimal number are none.
    rest = code
    gsub(/0[xX][0-9a-fA-F]+[uUlL]*/, "0", rest)
    if (rest ~ /(^|[^A-Za-z_0-9.])([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+[eE][-+]?[0-9]+)/) tell("a literal of floating point")
}
END {
    if (mode == "code") stale_rows()
    if (NR == 0) print "nothing was read: the check itself is broken"
}

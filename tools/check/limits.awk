# SPDX-License-Identifier: Apache-2.0
# limits.awk: measures "file:line:code" lines. It relies on our form: the brace that opens a function
# stands alone at the left edge, and so does the one that closes it.
function over(what, name, is, most) {
    if (is <= most) return
    print file ":" at ": " what " " name ": " is " (" most ")"
    found++
}
function count_of(text, pattern) { return gsub(pattern, "&", text) }
function file_ends() {
    if (file == "") return
    at = last
    over("lines of", file, last, file ~ /\.h$/ ? 200 : 500)
    lines += last
    files++
}
{
    match($0, /^[^:]*:[0-9]*:/)
    split(substr($0, 1, RLENGTH), part, ":")
    code = substr($0, RLENGTH + 1)
    if (part[1] != file) {
        file_ends()
        file = part[1]
        in_function = in_struct = 0
        head = ""
    }
    last = part[2]
}
in_function && code ~ /^[}]/ {
    at = began
    functions++
    over("lines of", name, last - began + 1, 60)
    over("nesting of", name, deepest, 3)
    over("branches of", name, branches, 12)
    if (last - began + 1 > 25) long++
    in_function = 0
    head = ""
    next
}
in_function {
    branches += count_of(code, "(^|[^A-Za-z_0-9])(if|for|while|case)[ (]") + count_of(code, "&&|[|][|]|[?]")
    depth += count_of(code, "[{]") - count_of(code, "[}]")
    if (depth > deepest && code !~ /[=,][ \t]*[{]/) deepest = depth
    next
}
in_struct && code ~ /^[}]/ {
    at = began
    over("members of", name, members, 16)
    in_struct = 0
    head = ""
    next
}
in_struct { members += count_of(code, ";"); next }
code ~ /^struct [a-z_0-9]+ [{]/ {
    in_struct = 1
    began = last
    members = 0
    split(code, part, " ")
    name = "struct " part[2]
    next
}
code ~ /^[{]/ && head ~ /\)[ \t]*$/ {
    in_function = 1
    began = last
    depth = deepest = 0
    branches = 1
    name = head
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    at = began
    over("parameters of", name, count_of(head, ",") + 1, 5)
    next
}
code ~ /^[A-Za-z]/ { head = code; next }
code ~ /^[ \t]+[^ \t]/ { head = head code; next }
{ head = "" }
END {
    file_ends()
    printf "check limits: %d files, %d lines, %d functions (%d of them over 25 lines), %d figure(s) to think about\n", \
        files, lines, functions, long, found
}

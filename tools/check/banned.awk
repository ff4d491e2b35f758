# SPDX-License-Identifier: Apache-2.0
# banned.awk: looks for the words of banned.txt in "file:line:code" lines.
function are_ours(symbol) { return symbol in instead }
BEGIN {
    while ((getline row < list) > 0) {
        if (row ~ /^#/ || row !~ /[^ \t]/) continue
        split(row, part, " ")
        word = part[1]
        is_call = sub(/\(\)$/, "", word)
        calls_only[word] = is_call
        core_only[word] = part[2] == "core"
        sub(/^[^ ]+ +[^ ]+ +/, "", row)
        instead[word] = row
    }
    read_allow()
}
{
    match($0, /^[^:]*:[0-9]*:/)
    split(substr($0, 1, RLENGTH), part, ":")
    file = part[1]
    code = substr($0, RLENGTH + 1)
    before = ""
    while (match(code, /[A-Za-z_][A-Za-z_0-9]*/)) {
        word = substr(code, RSTART, RLENGTH)
        lead = before substr(code, 1, RSTART - 1)
        after = substr(code, RSTART + RLENGTH)
        code = after
        before = "x"
        if (!(word in instead)) continue
        # A member of that name is not the function: `port->time(...)`, `world.rand(...)`.
        if (lead ~ /(\.|->)[ \t]*$/ || lead ~ /[0-9]$/) continue
        if (calls_only[word] && after !~ /^[ \t]*\(/) continue
        if (core_only[word] && file ~ /^(proxy|cli)\//) continue
        if (!is_allowed(file, word)) print file ":" part[2] ": " word " is banned: " instead[word]
    }
}
END {
    stale_rows()
    if (NR == 0) print "nothing was read: the check itself is broken"
}

# SPDX-License-Identifier: Apache-2.0
# allow.awk: reads tools/check/allow.txt (variable allow) and answers is_allowed(file, symbol).
# A row is `file:symbol: reason`; a file that ends with a slash means the whole folder. Rows that
# are_ours() accepts and that nothing needed are findings of stale_rows().
function read_allow(    row, at, file, rest) {
    while ((getline row < allow) > 0) {
        rows_read++
        if (row ~ /^#/ || row ~ /^[ \t]*$/) continue
        at = index(row, ":")
        file = substr(row, 1, at - 1)
        rest = substr(row, at + 1)
        at = index(rest, ": ")
        if (file == "" || at < 2 || length(rest) < at + 10) {
            print "tools/check/allow.txt:" rows_read ": a row is `file:symbol: reason`"
            continue
        }
        place[file SUBSEP substr(rest, 1, at - 1)] = rows_read
    }
}
function is_allowed(file, symbol,    folder) {
    folder = file
    sub(/[^\/]*$/, "", folder)
    if ((file SUBSEP symbol) in place) return used[file SUBSEP symbol] = 1
    if ((folder SUBSEP symbol) in place) return used[folder SUBSEP symbol] = 1
    return 0
}
function stale_rows(    row, part) {
    for (row in place) {
        split(row, part, SUBSEP)
        if (!(row in used) && are_ours(part[2]))
            print "tools/check/allow.txt:" place[row] ": nothing needs `" part[1] ":" part[2] "` any more"
    }
}

# SPDX-License-Identifier: Apache-2.0
# state.awk: reads `objdump -t` of the archive, prints every variable that can be written to.
function are_ours(symbol) { return symbol !~ /\.(h|def)$/ && !(symbol in is_word) }
BEGIN {
    while ((getline row < words) > 0) {
        split(row, part, " ")
        sub(/\(\)$/, "", part[1])
        is_word[part[1]] = 1
    }
    count = split(places, part, " ")
    for (i = 1; i <= count; i++) {
        name = part[i]
        sub(/.*\//, "", name)
        full[name] = part[i]
    }
    read_allow()
}
/file format/ {
    member = $1
    sub(/\.o:$/, "", member)
    sub(/:$/, "", member)
    file = member in full ? full[member] : member
    next
}
{
    # value, seven characters of flags, section, size, name
    section = substr($0, index($0, " ") + 9)
    name = $NF
    sub(/[ \t].*/, "", section)
    is_object = substr($0, index($0, " ") + 7, 1) == "O" || section ~ /^\.t(data|bss)/
    if (!is_object || section !~ /^\.t?(data|bss)/ || section ~ /^\.data\.rel\.ro/) next
    if (name ~ /^(\.|__)/ || name ~ /^\*?\.L/) next
    sub(/\.[0-9]+$/, "", name)
    if (!is_allowed(file, name)) print file ": " name " can be written to (" section "): the core keeps no state"
}
END {
    stale_rows()
    if (NR == 0) print "nothing was read: the check itself is broken"
}

# SPDX-License-Identifier: Apache-2.0
# purity.awk: reads `nm -P` of the archive, prints the symbols that it needs and may not.
BEGIN {
    while ((getline row < pure) > 0)
        if (row !~ /^#/ && row ~ /[^ \t]/) {
            split(row, part, " ")
            is_pure[part[1]] = 1
        }
}
# "libcore.a[mem.c.o]:"
/:$/ && NF == 1 {
    member = $1
    sub(/.*\[/, "", member)
    sub(/\]:$/, "", member)
    next
}
NF >= 2 && $2 ~ /^[Uwv]$/ { if (!($1 in by)) by[$1] = member; next }
NF >= 2 { is_here[$1] = 1 }
END {
    for (symbol in by) {
        name = symbol
        if (symbol in is_here) continue
        if (name ~ /^(__asan|__ubsan|__tsan|__msan|__lsan|__sanitizer|__gcov|__llvm|__sancov)/) continue
        # The fortified name stands for the plain one.
        if (name ~ /^__.*_chk$/ && name != "__stack_chk_fail") {
            sub(/^__/, "", name)
            sub(/_chk$/, "", name)
        }
        if (!(name in is_pure)) print by[symbol] ": needs " symbol ", which is not in pure_symbols.txt"
    }
}

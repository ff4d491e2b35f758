# SPDX-License-Identifier: Apache-2.0
# layers.awk: judges "file:line:#include ..." lines. The table of floors stands here and nowhere else.
function are_ours(symbol) { return symbol ~ /\.(h|def)$/ }
function find(text) { print file ":" line ": " text }
function exists(path,    got) {
    if (!(path in known)) {
        known[path] = (getline got < path) >= 0
        close(path)
    }
    return known[path]
}
BEGIN {
    sees["base"] = " base "
    sees["wire"] = " base wire "
    sees["breaker"] = " base breaker "
    sees["pricing"] = " base wire pricing "
    sees["enforcement"] = " base wire enforcement "
    sees["usage"] = " base wire usage "
    sees["router"] = " base wire breaker pricing router "
    sees["conf"] = " base wire breaker pricing enforcement usage router conf "
    sees["admin"] = sees["conf"] "admin "
    sees["proxy"] = sees["admin"] "proxy "
    sees["cli"] = sees["proxy"] "cli "
    count = split("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype", names, " ")
    for (i = 1; i <= count; i++) is_standard[names[i] ".h"] = 1
    # The C library's headers that only the shell has a use for: clocks, signals, threads, streams.
    count = split("assert complex fenv float locale math setjmp signal stdio tgmath threads time", names, " ")
    for (i = 1; i <= count; i++) is_shell_only[names[i] ".h"] = 1
    while ((getline row < libraries) > 0) {
        if (row ~ /^#/ || row !~ /[^ \t]/) continue
        count = split(row, names, " ")
        is_library[names[1]] = 1
        for (i = 2; i <= count; i++) may[names[1] SUBSEP names[i]] = 1
    }
    read_allow()
}
{
    match($0, /^[^:]*:[0-9]*:/)
    split(substr($0, 1, RLENGTH), part, ":")
    file = part[1]
    line = part[2]
    code = substr($0, RLENGTH + 1)
    folder = file
    sub(/\/.*/, "", folder)
    if (match(code, /"[^"]*"/)) {
        target = substr(code, RSTART + 1, RLENGTH - 2)
        if (target == "headgate_version.h" && (folder == "cli" || folder == "proxy")) next
        floor = target
        if (!sub(/\/.*/, "", floor)) {
            find("\"" target "\" is not written from the root of the repository")
        } else if (index(sees[folder], " " floor " ") == 0) {
            if (!is_allowed(file, target)) find(folder " may not include " target)
        } else if (!exists(target)) {
            find("no such file: " target)
        }
    } else if (match(code, /<[^>]*>/)) {
        target = substr(code, RSTART + 1, RLENGTH - 2)
        library = target
        if (!(library in is_library)) sub(/\/.*/, "/", library)
        if (library in is_library) {
            if (!((library SUBSEP file) in may) && !is_allowed(file, target))
                find("<" target "> belongs to the files that tools/check/libraries.txt names")
        } else if (target in is_standard) {
            if (folder != "proxy" && folder != "cli" && (target in is_shell_only) && !is_allowed(file, target))
                find("<" target "> is for the shell: the core has no clock, stream or thread")
        } else if (folder != "proxy" && folder != "cli" && !is_allowed(file, target)) {
            find("<" target "> is no header of the C language: the core is pure")
        }
    }
}
END {
    stale_rows()
    if (NR == 0) print "nothing was read: the check itself is broken"
}

# SPDX-License-Identifier: Apache-2.0
# The scripts of the Redis ledger as constants: each file FILE.lua becomes redis_script_FILE, without
# comments, without the blanks that begin a line.
FNR == 1 {
    if (NR > 1) print ";"
    name = FILENAME
    sub(/.*\//, "", name)
    sub(/\.lua$/, "", name)
    if (NR == 1) print "/* Made by tools/pack/scripts.awk. */\n#include \"proxy/ledger_redis_scripts.h\"\n"
    printf "const char redis_script_%s[] =\n", name
}
{
    sub(/^ +/, "")
    if ($0 == "" || /^--/) next
    gsub(/\\/, "\\\\")
    gsub(/"/, "\\\"")
    printf "    \"%s\\n\"\n", $0
}
END { print ";" }

# SPDX-License-Identifier: Apache-2.0
# exact_objects.awk: reads `objdump -d`, prints functions that calculate with or convert floating point.
# Moves are none: compilers copy bytes through the same registers.
/file format/ { member = $1; sub(/:$/, "", member); next }
/^[0-9a-f]+ <.*>:$/ { name = $2; gsub(/[<>:]/, "", name); next }
{
    instruction = $2
    is_bad = 0
    # x86: SSE and AVX (addsd, vmulss, cvtsi2sd, ucomisd), x87 (fld, fmul).
    if (instruction ~ /^v?(add|sub|mul|div|sqrt|min|max|cmp|round|fmadd[0-9]*|fmsub[0-9]*)(ss|sd|ps|pd)$/) is_bad = 1
    if (instruction ~ /^v?(u?comi(ss|sd)|cvtt?[a-z0-9]*)$/) is_bad = 1
    if (instruction ~ /^f(ild|ld|st|stp|istp|add|sub|mul|div|sqrt|chs|abs|comi?p?|ucomi?p?)[a-z0-9]*$/) is_bad = 1
    # arm64: fadd, fmul, scvtf, fcvtzs.
    if (instruction ~ /^(fadd|fsub|fmul|fdiv|fmadd|fmsub|fsqrt|fcmp|fcmpe|scvtf|ucvtf|fcvt[a-z]*)$/) is_bad = 1
    # Calls where the processor has none of it.
    if ($0 ~ /<__(add|sub|mul|div|float|fix|extend|trunc)[a-z]*(sf|df|tf)[a-z0-9]*(@plt)?>/) is_bad = 1
    if (is_bad && !((member, name) in told)) {
        told[member, name] = 1
        print member ": " name " calculates with floating point (" instruction ")"
    }
}

# SPDX-License-Identifier: Apache-2.0
# tools/check/lib.sh: what the checks share. Sourced by each with the root of the tree to look at
# as its first argument; afterwards we stand in that root, and $here is where the checks live.
# shellcheck shell=sh
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}
cd "$root" || exit 2

core_folders="base wire breaker pricing enforcement usage router conf admin"
# shellcheck disable=SC2034
product_folders="$core_folders proxy cli"
# The exceptions belong to the tree that is looked at.
allow=tools/check/allow.txt
[ -f "$allow" ] || allow=/dev/null

# files FOLDERS PATTERN...: the files of these folders whose name fits one of the patterns, sorted.
files()
{
    where=
    for folder in $1; do
        [ -d "$folder" ] && where="$where $folder"
    done
    shift
    [ -n "$where" ] || return 0
    for pattern in "$@"; do
        # Folder names have no spaces: the list is meant to be split.
        # shellcheck disable=SC2086
        find $where -type f -name "$pattern"
    done | sort
}

# bare FILES on stdin: "file:line:code", without comments and the contents of strings.
bare()
{
    xargs awk -f "$here/bare.awk" /dev/null
}

# verdict NAME FINDINGS: prints the findings and fails, or says that there are none.
verdict()
{
    if [ -n "$2" ]; then
        printf '%s\n' "$2"
        printf 'check %s: FAILED, %s finding(s)\n' "$1" "$(printf '%s\n' "$2" | wc -l | tr -d ' ')"
        exit 1
    fi
    printf 'check %s: good\n' "$1"
}

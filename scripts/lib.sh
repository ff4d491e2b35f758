# SPDX-License-Identifier: Apache-2.0
# scripts/lib.sh: what the scripts share. Sourced from the root of the repository.
# shellcheck shell=sh

# Where HAProxy and nginx are, also for those who are not root.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "headgate: $*"; }
die()
{
    printf '%s\n' "headgate: $*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
now() { date +%s; }
cores() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

# as_root COMMAND...: as it is when we are root already, else through sudo, which may ask nothing.
as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    elif have sudo && [ -t 0 ]; then
        sudo "$@"
    else
        die "this needs root (or sudo without a password): $*"
    fi
}

# configure PRESET [OPTION...]: Ninja when it is there and the folder is new; quiet unless it fails.
configure()
{
    if have ninja; then
        CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
        export CMAKE_GENERATOR
    fi
    quietly cmake --preset "$@"
}

# build FOLDER [OPTION...]: with every core; quiet unless it fails or warns.
build()
{
    folder=$1
    shift
    quietly cmake --build "$folder" --parallel "$(cores)" "$@"
}

# quietly COMMAND...: shows what it said only when it failed or warned.
quietly()
{
    said=$(mktemp)
    if "$@" >"$said" 2>&1; then
        grep -n -i 'warning' "$said" >&2 || :
        rm -f "$said"
    else
        cat "$said" >&2
        rm -f "$said"
        die "failed: $*"
    fi
}

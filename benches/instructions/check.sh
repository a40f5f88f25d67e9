#!/usr/bin/env bash
# Guards the hot paths by instruction counts, which do not depend on how busy the machine is.
#
#   benches/instructions/check.sh [LINCHPIN]          compares with limits.txt; exit 1 if one is exceeded
#   benches/instructions/check.sh --write [LINCHPIN]  writes limits.txt anew: what is counted now, and a tenth
#
# LINCHPIN is a release build, by default target/release/linchpin.
set -euo pipefail
cd "$(dirname "$0")/../.."

write=false
if [ "${1:-}" = --write ]; then
    write=true
    shift
fi
linchpin="${1:-target/release/linchpin}"
limits=benches/instructions/limits.txt

if ! command -v valgrind >/dev/null; then
    if [ -n "${LINCHPIN_REQUIRE_ALL:-}" ]; then
        echo "error: valgrind is not installed" >&2
        exit 1
    fi
    echo "skipped: valgrind is not installed"
    exit 0
fi

# Name, and the arguments of `linchpin check`.
cases() {
    cat <<'END'
grounding   specs/broadcast/redundant.ded --scenario paper --strategy symbolic
solving     specs/consensus/paxos.ded --scenario paper --strategy symbolic
listing     specs/replication/kafka.ded --scenario paper --strategy symbolic --all
supports    specs/broadcast/acknowledged.ded --scenario paper --strategy lineage
simulating  specs/commit/two_phase.ded --eot 7 --eff 0 --crashes 3 --strategy exhaustive --all --threads 1
END
}

count() {
    local log
    log="$(mktemp)"
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$linchpin" check "$@" --quiet --format json >/dev/null 2>"$log" || true
    sed -n 's/.*Collected : //p' "$log"
    rm -f "$log"
}

[ "$write" = false ] || : >"$limits"
failed=0
while read -r name arguments; do
    # shellcheck disable=SC2086
    counted="$(count $arguments)"
    if [ "$write" = true ]; then
        echo "$name $((counted * 11 / 10))" >>"$limits"
        echo "$name $counted"
        continue
    fi
    limit="$(sed -n "s/^$name //p" "$limits")"
    if [ "$counted" -gt "$limit" ]; then
        echo "FAIL $name: $counted instructions, more than $limit"
        failed=1
    else
        echo "ok   $name: $counted instructions, at most $limit"
    fi
done < <(cases)
exit "$failed"

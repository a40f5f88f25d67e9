#!/usr/bin/env bash
# Installs what the tests use and a fresh machine lacks. Idempotent; does nothing it need not do.
# Without root or network it says what is missing, and the tests concerned are skipped.
set -uo pipefail

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need dot graphviz
need chromium chromium
need chromedriver chromium-driver
need valgrind valgrind
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing ${missing[*]}"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
            echo "could not install ${missing[*]}"
    else
        echo "missing: ${missing[*]} (install them as root: apt-get install ${missing[*]})"
    fi
fi

if ! cargo deny --version >/dev/null 2>&1; then
    echo "installing cargo-deny"
    cargo install --quiet --locked cargo-deny --version 0.20.2 || echo "could not install cargo-deny"
fi
exit 0

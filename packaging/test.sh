#!/bin/sh
# Checks Sotto, after setting up whatever is missing (see run.sh):
#
#     sh packaging/test.sh [ARGUMENTS OF PYTEST]
#     sh packaging/test.sh --bench
#
# Runs ruff, mypy and pytest, all of them even if one fails, and ends with 0 only if all are content. With --long
# pytest adds the torture and fuzz runs. Nothing shows on the screen: windows open on a virtual display that ends with
# this script. Python packages come into .venv by the hashes in packaging/requirements-dev.lock. A test that kills its
# process, or hangs (--limit SECONDS), fails, and the others go on.
#
# --bench runs no checks: it sets up the same, and the programs that the benchmarks of tests/bench/ compare with.
set -eu

# Through a symbolic link too: the rest is found beside the real file.
script=$0
while [ -L "$script" ]; do
    target=$(readlink -- "$script")
    case $target in /*) script=$target ;; *) script=$(dirname -- "$script")/$target ;; esac
done
here=$(CDPATH='' cd -- "$(dirname -- "$script")" && pwd -P)
root=${here%/*}
. "$here/setup.sh"

display=''
work=$(mktemp -d)
end() {
    [ -z "$display" ] || kill "$display" 2>/dev/null || :
    rm -rf "$work"
    allow_services
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Starts an X server of our own on a free number, which it tells through the pipe; "display" is its process. Where
# setpriv can, the server ends with this shell even if this shell is killed.
start_display() {
    mkfifo "$work/number"
    guard=''
    ! setpriv --pdeathsig TERM true 2>/dev/null || guard='setpriv --pdeathsig TERM'
    $guard Xvfb -displayfd 3 -screen 0 1600x1000x24 -nolisten tcp -noreset 3>"$work/number" >"$work/xvfb.log" 2>&1 &
    display=$!
    if ! read -r number <"$work/number"; then
        display=''
        tail -n 5 "$work/xvfb.log" >&2
        stop "The virtual display did not start; the lines above say why."
    fi
    DISPLAY=:$number
}

# The tests see the same surroundings everywhere: no desktop session of the person who starts them (whose keyring,
# notifications and running Sotto are none of their business), English and UTF-8. In-process tests use Qt's offscreen
# platform, so that they do not fight over the focus; those that start real programs give these the X display.
isolate() {
    unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS XAUTHORITY
    mkdir -m 700 "$work/runtime"
    XDG_RUNTIME_DIR=$work/runtime
    LC_ALL=C.UTF-8
    QT_QPA_PLATFORM=${QT_QPA_PLATFORM:-offscreen}
    export DISPLAY XDG_RUNTIME_DIR LC_ALL QT_QPA_PLATFORM
}

failed=''
check() {
    say "== $*"
    "$env/bin/python" -m "$@" || failed="$failed $1"
}

prepare test yes
if [ "${1-}" = --bench ]; then
    prepare_peers
    say "Ready: $env/bin/python -m tests.bench.NAME, from $root."
    exit 0
fi
cd "$root"
check ruff check .
check ruff format --check .
check mypy

start_display
isolate
# Two processes at a time, unless the person says how many, or wants to look inside.
workers='-n 2 --dist loadgroup'
for argument; do
    case $argument in -n* | --numprocesses* | --dist* | -p* | --pdb* | --trace | -s | --capture=no) workers='' ;; esac
done
# shellcheck disable=SC2086
check pytest $workers "$@"

[ -z "$failed" ] || stop "Failed:$failed"
say "All checks passed."

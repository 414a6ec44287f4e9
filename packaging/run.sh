#!/bin/sh
# Starts Sotto, after setting up whatever is missing:
#
#     sh packaging/run.sh [ARGUMENTS OF SOTTO]
#
# Without arguments it opens the window. It needs Python 3.11 or newer; the rest it brings: system libraries through
# apt where it may (otherwise it prints the command), Python packages into .venv here, by the hashes in
# packaging/requirements.lock. Nothing else on the system changes.
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

# Prints yes if these arguments open a window, which alone needs Qt's system libraries. Without a display none opens:
# the program says so itself, or goes on in the terminal.
opens_window() {
    if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ]; then
        echo no
        return
    fi
    for word; do
        case $word in --version | --help | -h | --headless) echo no && return ;; esac
    done
    while [ $# -gt 0 ]; do
        case $1 in
            --profile) [ $# -eq 1 ] || shift ;;
            -*) ;;
            listen | chat | send | receive | new-key | contacts | history | search | invite | verify | \
                backups | restore | export | import | relay | relays)
                echo no
                return
                ;;
            *) break ;;
        esac
        shift
    done
    echo yes
}

prepare run "$(opens_window "$@")"
exec "$root/.venv/bin/python" -P -m messenger "$@"

# shellcheck shell=sh disable=SC2154
# The set-up that run.sh and test.sh share; they read this file with ".", having set "root" to the checkout.
#
# "prepare KIND WINDOW" leaves behind $root/.venv with everything that KIND needs (run: Sotto itself, test: its checks
# too) and, if WINDOW is yes, the system libraries of a window. When all is there it only looks and returns.
#
# How it stays whole when it is interrupted or started twice: the work is done under a lock on .venv.lock. That file
# holds a word while packages are being changed, so whoever finds the word there knows that .venv is half made and
# makes it anew. A finished environment carries a stamp for each kind, naming the lock file that it was made from.
# The lock is held through file descriptor 9, which pip and uv inherit: should this shell be killed alone, the next
# start waits until they have ended as well.

env=$root/.venv
busy=$root/.venv.lock

# Every message goes to standard error: standard output belongs to the program that is started.
say() { printf '%s\n' "$*" >&2; }
stop() {
    say "$@"
    exit 1
}

# ---- what is there ----------------------------------------------------------------------------------------------

# Fails unless this Python is one that the locked packages have files for; otherwise prints the Python to make an
# environment with (the real one, should this one live in an environment itself).
suitable='import sys
if sys.implementation.name != "cpython" or not (3, 11) <= sys.version_info[:2] <= (3, 14):
    raise SystemExit(1)
print(getattr(sys, "_base_executable", None) or sys.executable)'

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if python=$("$name" -I -S -c "$suitable" 2>/dev/null) && [ -x "$python" ]; then
            return 0
        fi
    done
    stop "Sotto needs Python 3.11, 3.12, 3.13 or 3.14 and found none on the PATH. Install one" \
        "(on Debian 12 or newer and Ubuntu 24.04 or newer: sudo apt-get install python3) and run this again."
}

lock_of() {
    case $1 in
        run) echo "$root/packaging/requirements.lock" ;;
        test) echo "$root/packaging/requirements-dev.lock" ;;
    esac
}

# The line that a finished environment of this kind carries. It names the place too, because the programs in
# .venv/bin begin with it and are of no use after a move.
stamp() {
    runtime=$("$env/bin/python" -I -S -c 'import sys; print(sys.implementation.cache_tag, sys.base_prefix)' 2>/dev/null) &&
        sums=$(cat "$(lock_of "$1")" "$root/packaging/setup.sh" "$root/packaging/link.py" | cksum) &&
        echo "$sums $runtime $env"
}

ready() {
    [ ! -s "$busy" ] && [ -r "$env/.sotto-$1" ] && read -r found <"$env/.sotto-$1" && [ "$found" = "$(stamp "$1")" ]
}

# What Qt opens at run time, by the name of the library and the Debian package that has it.
libraries='
libEGL.so.1 libegl1
libGL.so.1 libgl1
libX11.so.6 libx11-6
libglib-2.0.so.0 libglib2.0-0
libdbus-1.so.3 libdbus-1-3
libfontconfig.so.1 libfontconfig1
libfreetype.so.6 libfreetype6
libbrotlidec.so.1 libbrotli1
libxkbcommon.so.0 libxkbcommon0
libgssapi_krb5.so.2 libgssapi-krb5-2
libX11-xcb.so.1 libx11-xcb1
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-image.so.0 libxcb-image0
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-randr.so.0 libxcb-randr0
libxcb-render.so.0 libxcb-render0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-shm.so.0 libxcb-shm0
libxcb-sync.so.1 libxcb-sync1
libxcb-util.so.1 libxcb-util1
libxcb-xfixes.so.0 libxcb-xfixes0
libxcb-xkb.so.1 libxcb-xkb1
libxcb-glx.so.0 libxcb-glx0
libwayland-client.so.0 libwayland-client0
libwayland-cursor.so.0 libwayland-cursor0
libwayland-egl.so.1 libwayland-egl1
'

# Prints the packages of the libraries that the dynamic linker does not know. Ordinary users of Debian do not have
# ldconfig on their PATH. The architecture is compared as well: a 32-bit library is of no use to a 64-bit Python.
missing_libraries() {
    for tool in ldconfig /sbin/ldconfig /usr/sbin/ldconfig; do
        known=$("$tool" -p 2>/dev/null) && break
    done || return 0
    case $(uname -m) in
        x86_64) suffix=' (libc6,x86-64' ;;
        aarch64) suffix=' (libc6,AArch64' ;;
        *) suffix=' (' ;;
    esac
    printf '%s' "$libraries" | while read -r library package; do
        case $known in
            *"	$library$suffix"*) ;;
            *) [ -z "$library" ] || echo "$package" ;;
        esac
    done
}

# has_font PATTERN: is there a font file of such a name where fontconfig looks?
has_font() {
    [ -n "$(find /usr/share/fonts /usr/local/share/fonts "${HOME:-/nonexistent}/.fonts" \
        "${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}/fonts" -iname "$1" -print 2>/dev/null | head -n 1)" ]
}

# missing_spelling DICTIONARIES...: prints the packages of what spelling is checked with that is not there. Each
# dictionary is given by its name, a colon and its Debian package.
missing_spelling() {
    for tool in ldconfig /sbin/ldconfig /usr/sbin/ldconfig; do
        known=$("$tool" -p 2>/dev/null) && break
    done || return 0
    case $known in
        *'	libenchant-2.so.2 '*) ;;
        *) echo libenchant-2-2 ;;
    esac
    for dictionary; do
        [ -e "/usr/share/hunspell/${dictionary%:*}.aff" ] || echo "${dictionary#*:}"
    done
}

has_pip() { "$1" -I -c 'import pip' 2>/dev/null; }
# From 22.3 on, pip can install into an environment that has no pip of its own.
has_reaching_pip() {
    "$1" -I -c 'import pip; raise SystemExit(tuple(map(int, pip.__version__.split(".")[:2])) < (22, 3))' 2>/dev/null
}

# Sets "need", the Debian packages without which this start cannot work, and "want", those that merely help.
look() {
    need='' want=''
    if [ "$2" = yes ] && [ "$(uname -s)" = Linux ]; then
        need=$(missing_libraries)
        has_font '*.[ot]t[fc]' || need="$need fonts-dejavu-core"
        want="$want $(missing_spelling en_US:hunspell-en-us)"
    fi
    if [ "$1" = test ]; then
        command -v Xvfb >/dev/null || need="$need xvfb"
        command -v xdotool >/dev/null || need="$need xdotool"
        need="$need $(missing_spelling en_US:hunspell-en-us de_DE:hunspell-de-de)"
        has_font '*emoji*' || want="$want fonts-noto-color-emoji"
    fi
    # Unquoted on purpose: one space between the names.
    # shellcheck disable=SC2086,SC2116
    need=$(echo $need) want=$(echo $want)
}

# Adds to "need" and "want" what making the environment takes.
look_for_tools() {
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ "$(uname -s)" != Linux ] || want="$want ca-certificates"
    if ! command -v uv >/dev/null && ! has_pip "$env/bin/python" && ! "$python" -I -c 'import ensurepip' 2>/dev/null &&
        ! has_reaching_pip "$python"; then
        need="$need $("$python" -I -S -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')"
    fi
}

# ---- system packages --------------------------------------------------------------------------------------------

apt() { $as env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@" </dev/null 2>&1; }

# install_packages NAMES...: through apt, without a question.
install_packages() {
    if output=$(apt install -y --no-install-recommends "$@"); then
        return 0
    fi
    case $output in # an earlier installation was cut short; dpkg refuses everything until this is done
        *'dpkg --configure -a'*) $as env DEBIAN_FRONTEND=noninteractive dpkg --configure -a </dev/null >/dev/null 2>&1 || : ;;
    esac
    # The list of packages may be missing or out of date: fetch it and try once more.
    if output=$(apt update && apt install -y --no-install-recommends "$@"); then
        return 0
    fi
    printf '%s\n' "$output" | tail -n 5 >&2
    return 1
}

# Installs "need" and "want" if it may. Otherwise says how to, and ends if something of "need" is missing.
complete_system() {
    # shellcheck disable=SC2086
    set -- $need $want
    if ! command -v apt-get >/dev/null; then
        [ -z "$need" ] || stop "This system lacks what Sotto needs; install it with the system's package manager" \
            "(by the names that Debian gives) and run this again: $need"
        return 0
    fi
    advice="apt-get update && apt-get install -y --no-install-recommends $*"
    as='' may=yes
    if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then
        advice="sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
        as='sudo -n'
        sudo -n true 2>/dev/null || may=no
    elif [ "$(id -u)" != 0 ]; then
        advice="su -c '$advice'"
        may=no
    fi
    if [ "$may" = yes ]; then
        say "Installing system packages: $*"
        install_packages "$@" && return 0
        reason="The system packages could not be installed."
    else
        reason="Installing system packages takes an administrator's password."
    fi
    if [ -n "$need" ]; then
        say "$reason Run this command, then start again:"
        stop "    $advice"
    fi
    say "$reason It works without them; this command would add them:"
    say "    $advice"
}

# What the benchmarks compare with, by the name of the program and the Debian package that has it.
peers='
scp openssh-client
sshd openssh-server
rsync rsync
nginx nginx-light
curl curl
prosody prosody
mosquitto mosquitto
qtox qtox
'

missing_peers() {
    printf '%s' "$peers" | while read -r program package; do
        [ -z "$program" ] || PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || echo "$package"
    done
}

# Installs the peers. The benchmarks start servers themselves, with configurations of their own: those that come with
# the packages are neither started now nor at the next start of the machine.
policy=''
prepare_peers() {
    need='' want=$(missing_peers)
    [ -n "$want" ] || return 0
    # shellcheck disable=SC2086
    want=$(echo $want)
    as=''
    [ "$(id -u)" = 0 ] || as='sudo -n'
    if [ ! -e /usr/sbin/policy-rc.d ] && $as true 2>/dev/null; then
        policy=/usr/sbin/policy-rc.d # what Debian asks before it starts a service; 101 is no
        printf '#!/bin/sh\nexit 101\n' | $as tee "$policy" >/dev/null
        $as chmod 755 "$policy"
    fi
    complete_system
    allow_services
    if [ -d /run/systemd/system ]; then
        for service in nginx prosody mosquitto ssh; do
            case " $want " in *" $service"*) $as systemctl disable "$service" >/dev/null 2>&1 || : ;; esac
        done
    fi
}

allow_services() { [ -z "$policy" ] || $as rm -f "$policy"; }

# ---- the environment --------------------------------------------------------------------------------------------

# Takes the lock, saying so when that means waiting. Python does it because not every system has flock(1); the lock
# belongs to the open file, so it stays with this shell when that Python has ended.
take_lock() {
    for place in "$root" "$env" "$busy"; do
        [ ! -e "$place" ] || [ -w "$place" ] || stop "Sotto keeps its Python environment in $env, but you may not" \
            "write to $place: copy $root to a place of your own and start there, or have it given to you."
    done
    exec 9>>"$busy"
    "$python" -I -S -c '
import fcntl, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Another start is setting things up; waiting for it to finish.", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
' || stop "The set-up was given up: $busy could not be locked."
}

# logged COMMAND...: runs it with its output in $log, showing what it downloads.
logged() {
    {
        status=0
        "$@" 2>&1 || status=$?
        echo "$status" >"$log.status"
    } | tee -a "$log" | sed -n 's|^ *Downloading \(.*/\)\{0,1\}|  fetching |p' >&2
    read -r status <"$log.status"
    return "$status"
}

with_uv() {
    command -v uv >/dev/null &&
        logged uv pip install --python "$env/bin/python" --require-hashes --no-deps --only-binary :all: -r "$lock"
}

# --no-user: a personal pip configuration may say otherwise, which an environment refuses.
with_pip() {
    if has_pip "$env/bin/python" || logged "$env/bin/python" -I -m ensurepip; then
        set -- "$env/bin/python" -I -m pip
    elif has_reaching_pip "$python"; then
        set -- "$python" -I -m pip --python "$env/bin/python"
    else
        return 1
    fi
    logged "$@" --disable-pip-version-check --no-input install --no-user --require-hashes --no-deps \
        --only-binary :all: -r "$lock"
}

mentions() { grep -qiE "$1" "$log"; }

# One sentence on why the packages could not be installed. Where nothing had been changed yet, the next start may go
# on from what there is; otherwise the word in .venv.lock stays and the next start begins anew.
explain_failure() {
    tail -n 8 "$log" >&2
    if mentions 'do not match the hashes|hash mismatch'; then
        : >"$busy"
        stop "A package that was fetched is not the one that the lock file names, so nothing of it was used. Run this" \
            "again; if it stays so, a mirror or proxy on the way changes packages."
    elif mentions 'no space left|disk quota'; then
        stop "The disk is full: the environment takes about 500 MB in $env. Make room and run this again."
    elif mentions 'connect|resolution|resolve host|timed out|unreachable|proxy|certificate|error sending|failed to fetch'; then
        : >"$busy"
        stop "The packages could not be fetched: connect to the internet (or configure pip or uv for your proxy or" \
            "mirror) and run this again."
    elif mentions 'no matching distribution|has no wheels'; then
        : >"$busy"
        stop "A package that Sotto needs is not published for this system ($(uname -sm)) or this Python ($python)."
    fi
    stop "The packages could not be installed; the lines above and $log say why. Run this again; if it stays so," \
        "delete $env first."
}

make_environment() {
    lock=$(lock_of "$1")
    log=$env/sotto-setup.log
    if [ -s "$busy" ]; then
        say "An earlier set-up was cut short; making $env anew."
        rm -rf "$env"
    fi
    echo "being changed" >"$busy"
    rm -f "$env"/.sotto-* "$log"
    # Not runnable, or its Python has been replaced by another version since: of no use.
    if ! "$env/bin/python" -I -c "$suitable
import os, sysconfig
if sys.prefix == sys.base_prefix or not os.path.isdir(sysconfig.get_path('purelib')):
    raise SystemExit(1)" >/dev/null 2>&1; then
        rm -rf "$env"
        output=$("$python" -I -m venv --without-pip "$env" 2>&1) ||
            stop "$output" "The Python environment $env could not be made with $python."
    fi
    say "Setting up the Python environment $env: once, fetching up to 150 MB."
    : >"$log"
    status=1
    with_uv || mentions 'hash mismatch' || with_pip || explain_failure
    [ "$status" = 0 ] || explain_failure
    "$env/bin/python" -I "$root/packaging/link.py" || stop "The Python environment $env could not be finished."
    stamp run >"$env/.sotto-run"
    [ "$1" = run ] || stamp test >"$env/.sotto-test"
    rm -f "$log.status"
    : >"$busy"
}

prepare() {
    look "$1" "$2"
    if [ -z "$need" ] && ready "$1"; then
        return 0
    fi
    find_python
    take_lock
    look "$1" "$2" # again: the start that held the lock may have done it
    ready "$1" || look_for_tools
    [ -z "$need$want" ] || complete_system
    ready "$1" || make_environment "$1"
    exec 9>&-
}

#!/bin/sh
# Rewrites the two lock files from pyproject.toml:
#
#     sh packaging/lock.sh [--upgrade | --upgrade-package NAME ...]
#
# Without an option, every version that is locked stays and only what pyproject.toml newly asks for is added.
# requirements.lock is what Sotto runs with; requirements-dev.lock is the same and what its checks need. Each names
# exact versions with the SHA-256 of every published file, for all platforms and every Python that pyproject.toml
# admits, and no address: the files say what to install, the configuration of pip or uv says from where.
set -eu

# Through a symbolic link too: the rest is found beside the real file.
script=$0
while [ -L "$script" ]; do
    target=$(readlink -- "$script")
    case $target in /*) script=$target ;; *) script=$(dirname -- "$script")/$target ;; esac
done
here=$(CDPATH='' cd -- "$(dirname -- "$script")" && pwd -P)
cd "$here/.."

if command -v uv >/dev/null; then
    uv=uv
elif [ -x .venv/bin/uv ]; then
    uv=.venv/bin/uv
else
    echo "Locking needs uv: install it (for example \"pipx install uv\") and run this again." >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# compile LOCK OPTIONS...: resolves into $work/LOCK, starting from the versions that are locked now.
compile() {
    name=$1
    shift
    [ ! -f "packaging/$name" ] || cp "packaging/$name" "$work/$name"
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --output-file "$work/$name" "$@" pyproject.toml
    {
        echo "# Exact versions and file hashes, written by packaging/lock.sh: change pyproject.toml, then run it."
        cat "$work/$name"
    } >"$work/$name.new"
}

compile requirements.lock "$@"
compile requirements-dev.lock --extra dev --constraints "$work/requirements.lock" "$@"
for name in requirements.lock requirements-dev.lock; do
    mv "$work/$name.new" "packaging/$name.new"
    mv "packaging/$name.new" "packaging/$name"
done

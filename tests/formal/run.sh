#!/bin/sh
# Runs the models with ProVerif, all of them or those that are named, and shows what it says of each query:
#
#     sh tests/formal/run.sh [MODEL.pv ...]
#
# The first line of a model is the command that runs it.
set -eu

cd "$(dirname -- "$0")"
[ $# -gt 0 ] || set -- *.pv
for model; do
    command=$(sed -n '1s/^(\* \(proverif .*\) \*)$/\1/p' "$model")
    echo "== $command"
    # shellcheck disable=SC2086
    $command | grep '^RESULT'
done

#!/usr/bin/env bash
# Runs the interop set-up on 127.0.0.1:5070 until it is stopped: make interop.
# Its store and key lie under bin/interop and are kept from one run to the next.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/bin/interop/keys" "$root/bin/interop/data"
key=$root/bin/interop/keys/master.key
[ -s "$key" ] || (umask 077; head -c 32 /dev/urandom | base64 >"$key")
cd "$root"
go build -o bin/tandem ./cmd/tandem
exec bin/tandem serve --config interop/interop.yaml

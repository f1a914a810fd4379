#!/usr/bin/env bash
# How long `cargo xtask ci` takes in a new project, beside its own cargo commands typed by hand:
#
#     gantry/bench/by-hand.sh
#
# Both compile everything. The target wasm32-unknown-unknown has to be installed, since nobody compiles its
# standard library by hand.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

git clone --quiet "$repository" "$folder/project"
cd "$folder/project"
CARGO_TARGET_DIR=$folder/engine cargo run --quiet --locked --manifest-path "$repository/gantry/Cargo.toml" -- \
  init --name timed --repository ORG/timed --gantry "path:$repository" >"$folder/log"
cargo fetch --quiet --locked
commands=$(cargo xtask ci --backend cargo --dry-run | sed -n 's/.*  \(\(env .* \)\?cargo .*\)/\1 \&\&/p')

# Prints the seconds of a command, from nothing compiled to its success.
seconds() {
  rm -rf target
  local start=$EPOCHREALTIME
  "$@" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; return 1; }
  awk "BEGIN { print $EPOCHREALTIME - $start }"
}

by_xtask=$(seconds cargo xtask ci --backend cargo --strict)
by_hand=$(seconds bash -c "$commands true")
awk "BEGIN { printf \"cargo xtask ci %.0f s, by hand %.0f s, ratio %.2f\n\", $by_xtask, $by_hand, $by_xtask / $by_hand }"

#!/usr/bin/env bash
# How long an edited leaf of the benchmark's workspace takes in layers, beside cargo in a target folder where all
# else is compiled: warm.sh [REPEAT]
#
# Prints the medians of REPEAT edits, 3 if nothing is said, with 2 and with 4 jobs of Nix. Needs Nix and cargo;
# GANTRY_NIX_FLAGS are further flags for Nix.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
repeat=${1-3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cargo run --quiet --locked --manifest-path "$root/gantry/Cargo.toml" -- bench generate "$folder/workspace"
cd "$folder/workspace"
system=$(nix config show system --extra-experimental-features nix-command)

layers() {
  # shellcheck disable=SC2086 # a list of flags
  nix build --extra-experimental-features "nix-command flakes" --no-link --max-jobs "$1" \
    "path:$PWD#packages.$system.layers" ${GANTRY_NIX_FLAGS-}
}
# What the layers of a leaf do, with incremental compilation (1) or without (0).
target_folder() (
  export CARGO_INCREMENTAL=$1 CARGO_TARGET_DIR=$folder/target-$1
  cargo build --offline --package leaf-1 &&
    cargo test --offline --package leaf-1 &&
    cargo clippy --offline --package leaf-1 --all-targets -- --deny warnings
)
# Shows what a command prints only when it fails: quietly COMMAND [ARGUMENT...]
quietly() { "$@" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; return 1; }; }
# Edits the leaf as often as is asked for, and prints the median of the seconds: median COMMAND [ARGUMENT...]
median() {
  for ((edit = 0; edit < repeat; edit++)); do
    sed -i "s/= [0-9]*;/= ${EPOCHREALTIME/[.,]/};/" crates/leaf-1/src/revision.rs
    local start=$EPOCHREALTIME
    quietly "$@" || return 1
    awk "BEGIN { print $EPOCHREALTIME - $start }"
  done | sort -n | sed -n "$(((repeat + 1) / 2))p"
}

cargo fetch --quiet --locked
quietly layers auto
quietly target_folder 0
quietly target_folder 1
two=$(median layers 2)
four=$(median layers 4)
whole=$(median target_folder 0)
incremental=$(median target_folder 1)
awk "BEGIN {
  printf \"layers: %.1f s with 2 jobs, %.1f s with 4\n\", $two, $four
  printf \"cargo in a warm target folder: %.1f s, ratio %.2f and %.2f\n\", $whole, $two / $whole, $four / $whole
  printf \"with incremental compilation: %.1f s, ratio %.2f and %.2f\n\", $incremental, $two / $incremental, $four / $incremental
}"

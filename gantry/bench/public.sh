#!/usr/bin/env bash
# Builds public workspaces with mkWorkspace and with crane's own chain, cold and after an edit, and prints what
# passes and how long it takes as a table: public.sh [--write] [NAME...]
#
# Without names it builds all that public/workspaces.nix has. The rows of the others are those of docs/benchmarks.md,
# where --write puts the table. Needs Nix, git, cargo and jq. GANTRY_NIX_FLAGS are further flags for Nix. A clone
# serves as well as GitHub: git config --global url.FOLDER.insteadOf https://github.com/OWNER/NAME
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/gantry/bench
document=$root/gantry/docs/benchmarks.md
begin='<!-- figures: gantry/bench/public.sh --write -->' end='<!-- end of figures -->'
# Not in this repository: cargo would look there for the workspace that a package belongs to.
work=${XDG_CACHE_HOME:-$HOME/.cache}/gantry/public
sides="layers crane" steps="build test clippy doc"

write=
[ "${1-}" != --write ] || { write=1; shift; }
nix() {
  # shellcheck disable=SC2086 # a list of flags
  command nix --extra-experimental-features "nix-command flakes" "$@" ${GANTRY_NIX_FLAGS-}
}
# Keeps what the flags are not meant for from them.
list=$(GANTRY_NIX_FLAGS='' nix eval --json --file "$here/public/workspaces.nix" --apply 'builtins.mapAttrs (_: w: removeAttrs w [ "inputs" ])')
said() { jq -er --arg name "$1" --arg key "$2" '.[$name][$key]' <<<"$list"; }
system=$(GANTRY_NIX_FLAGS='' nix config show system)
nonce() { echo "$(date +%s%N)-$$"; }
note() { echo "public: $*" >&2; }

# Fetches a workspace, and makes a flake around it: prepare NAME
prepare() {
  local folder=$work/$1 flake input
  rm -rf "$folder"
  mkdir -p "$folder/workspace"
  git -C "$folder/workspace" init --quiet
  git -C "$folder/workspace" fetch --quiet --depth 1 "https://github.com/$(said "$1" repository)" "$(said "$1" revision)"
  git -C "$folder/workspace" checkout --quiet FETCH_HEAD
  # Without a lock file of its own it gets the versions of today.
  [ -f "$folder/workspace/Cargo.lock" ] || (cd "$folder/workspace" && cargo generate-lockfile --quiet)
  rm -rf "$folder/workspace/.git"
  flake=$(<"$here/public/flake.nix")
  flake=${flake/@gantry@/git+file://$root}
  for input in nixpkgs crane rust-overlay; do
    flake=${flake/@$input@/$(jq -r --arg input "$input" '.nodes[$input].locked | "github:\(.owner)/\(.repo)/\(.rev)"' "$root/flake.lock")}
  done
  echo "$flake" >"$folder/flake.nix"
  cp "$here/public/workspaces.nix" "$root/rust-toolchain.toml" "$folder"
  echo "$1" >"$folder/name"
  nonce >"$folder/nonce"
}

# Builds a side, whatever fails, and prints the seconds: build NAME SIDE
build() {
  local start=$EPOCHREALTIME
  nix build --no-link --keep-going --max-jobs auto --print-build-logs "path:$work/$1#sides.$system.$2.all" \
    >"$work/$1/$2.log" 2>&1 || true
  awk -v start="$start" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.0f\n", end - start }'
}

# Prints which steps of a side are in the store, after it was built: passes NAME SIDE
passes() {
  local paths step all invalid
  paths=$(nix eval --json "path:$work/$1#sides.$system.$2.paths")
  for step in $steps; do
    mapfile -t all < <(jq -r --arg step "$step" '.[$step][]' <<<"$paths")
    invalid=$(nix-store --check-validity --print-invalid "${all[@]}" | wc -l)
    if [ "$invalid" = 0 ]; then echo "$step"; elif [ "$invalid" != "${#all[@]}" ]; then
      echo "$step ($((${#all[@]} - invalid)) of ${#all[@]})"
    fi
  done | paste -sd, | sed 's/,/, /g'
}

# Measures a workspace and writes its row of the table: measure NAME
measure() {
  local name=$1 side step
  local -A cold edited passed
  note "$name: fetches what it needs"
  prepare "$name"
  for side in $sides; do
    nix build --no-link "path:$work/$name#sides.$system.$side.inputs"
  done
  for side in $sides; do
    cold[$side]=$(build "$name" "$side")
    passed[$side]=$(passes "$name" "$side")
    note "$name, $side: ${cold[$side]} s, passes: ${passed[$side]}"
    mv "$work/$name/$side.log" "$work/$name/$side-cold.log"
  done
  for step in $steps; do
    if [[ ", ${passed[crane]}," == *", $step,"* && ", ${passed[layers]}," != *", $step,"* ]]; then
      note "$name: error: $step passes with crane and not with layers: $work/$name/layers-cold.log"
      status=1
    fi
  done
  echo "// $(nonce)" >>"$work/$name/workspace/$(said "$name" leaf)"
  for side in $sides; do
    edited[$side]=$(build "$name" "$side")
    note "$name, $side, an edited leaf: ${edited[$side]} s"
  done
  echo "| [$name](https://github.com/$(said "$name" repository)): $(said "$name" habit) |" \
    "$(nix eval --json "path:$work/$name#sides.$system.layers.members") |" \
    "${passed[layers]:-nothing} | ${passed[crane]:-nothing} |" \
    "$(cells "${cold[layers]}" "${cold[crane]}") | $(cells "${edited[layers]}" "${edited[crane]}") |" |
    sed 's/ build, test, clippy, doc / all /g' >"$work/$name/row"
}

# Prints seconds of both sides and their ratio, none of a side that passes nothing: cells LAYERS CRANE
cells() {
  local layers="$1 s" crane="$2 s" ratio=-
  [ -n "${passed[layers]}" ] || layers=-
  [ -n "${passed[crane]}" ] || crane=-
  [[ $layers = - || $crane = - ]] || ratio=$(awk "BEGIN { printf \"%.2f\", $1 / $2 }")
  echo "$layers | $crane | $ratio"
}

# Prints a row of every workspace that was measured, now or before.
table() {
  local name
  echo "| workspace | members | passes, layers | passes, crane | cold, layers | cold, crane | ratio | edited leaf, layers | edited leaf, crane | ratio |"
  echo "| --- | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
  for name in $(jq -r 'keys[]' <<<"$list"); do
    if [[ " ${names[*]} " == *" $name "* ]]; then cat "$work/$name/row"; else grep -F "| [$name](" "$document" || true; fi
  done
}

status=0
names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(jq -r 'keys[]' <<<"$list")
for name in "${names[@]}"; do
  said "$name" repository >/dev/null || { note "error: public/workspaces.nix has no \`$name\`"; exit 2; }
  measure "$name"
done
table
if [ -n "$write" ]; then
  rows=$(table)
  awk -v begin="$begin" -v end="$end" -v rows="$rows" '
    $0 == begin { print; print ""; print rows; print ""; skips = 1; next }
    $0 == end { skips = 0 }
    !skips' "$document" >"$document.new"
  mv "$document.new" "$document"
fi
exit "$status"

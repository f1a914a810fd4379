#!/usr/bin/env bash
# Prints what rustc says of every target that it knows: `bash targets.sh >targets.json`. One line a target,
# so that what a newer rustc changes is a short diff.
set -euo pipefail

echo "{"
printf '  "rustc": "%s"' "$(rustc --version | cut -d ' ' -f 2)"
rustc --print target-list | while read -r target; do
  printf ',\n  "%s": %s' "$target" "$(rustc --print cfg --target "$target" | jq --raw-input --slurp --compact-output 'split("\n")[:-1]')"
done
printf '\n}\n'

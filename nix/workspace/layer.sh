# What every layer does around its cargo commands. Sourced by the derivations of layers.nix.
#
# A layer's `artifacts` are what cargo made in it and nothing else, in two trees: `links` (libraries,
# build scripts and what they wrote), which later layers link to, and `copies` (fingerprints and the
# like), small files that cargo may rewrite. Everything in the Nix store has the same time, and cargo takes what is
# not newer than its artifact as fresh. That is right here only because a layer never inherits
# artifacts of another source of the same package: its inputs are the layers of exactly these sources.

# Copies files into the source: placeSource FROM TO
placeSource() {
  if [ -d "$1" ]; then
    mkdir -p "$2"
    cp -r --preserve=timestamps --no-preserve=mode,ownership "$1/." "$2"
    # Scripts stay executable, which the line above forgets.
    find "$1" -type f -perm -u+x -printf '%P\0' | (cd "$2" && xargs -0 --no-run-if-empty chmod +x)
  else
    mkdir -p "$(dirname "$2")"
    cp --preserve=timestamps --no-preserve=mode,ownership "$1" "$2"
  fi
}

# Has cargo write the lock file before anything looks at its time.
#
# It belongs to a package at the root, and cargo runs a build script again when a file of its package is
# newer. cargo takes out of the lock file what this layer's part of the workspace does not need.
settleLockFile() {
  cargo metadata --offline --format-version 1 >/dev/null
  touch -d @0 Cargo.lock
}

# Fills target/ with the artifacts of other layers: inheritArtifacts LAYER...
inheritArtifacts() {
  local layer
  mkdir -p target
  for layer in "$@"; do
    cp -r --symbolic-link --force --no-preserve=mode "$layer/links/." target
    cp -r --preserve=timestamps --no-preserve=mode,ownership "$layer/copies/." target
  done
  touch "$NIX_BUILD_TOP/inherited"
}

# Selects those of cargo's messages that are about the layer's own packages: ownMessages JQ_ARG... <MESSAGES
ownMessages() {
  # shellcheck disable=SC2154
  jq -r --arg own "$layerOwn" --arg root "$PWD" '
    ($own | split("\n") | map("\($root)/\(.)/Cargo.toml" | gsub("//+"; "/"))) as $own
    | def isOwn: $own == [] or (.manifest_path as $path | any($own[]; . == $path));
    '"$1"
}

# Runs cargo for the layer's package and checks what it compiled: layerCargo SUBCOMMAND [ARG...]
layerCargo() {
  local output=$NIX_BUILD_TOP/output errors=$NIX_BUILD_TOP/errors messages=$NIX_BUILD_TOP/messages status=0
  # Tests print to the same stream as cargo's messages.
  # shellcheck disable=SC2086
  {
    cargo "$1" --offline --profile "$layerProfile" ${layerTarget:+--target "$layerTarget"} $layerPackages \
      --message-format json "${@:2}" 2>&1 >&3 | tee "$errors" >&2
  } 3>&1 | tee "$output" | { grep -v '^{"reason":' || true; } || status=$?
  grep '^{"reason":' "$output" >"$messages" || true
  cat "$messages" >>"$NIX_BUILD_TOP/all-messages"
  # cargo repeats the warnings of dependencies: they are the other layers' matter.
  ownMessages 'select(.reason == "compiler-message" and isOwn) | .message.rendered' <"$messages" >&2
  checkFresh "$messages"
  if [ "$status" != 0 ]; then
    explainFailure "$messages" "$output" "$errors"
    return "$status"
  fi
}

# Checks what procedural macros depend on, through the skeleton's own.
#
# By itself: cargo gives a macro that it is told to build the features of the target, too, and so its
# dependencies on the host would add theirs to those of the target. Only the first resolver does that
# anyway, and there the macro is one of `layerPackages`.
checkMacro() {
  # shellcheck disable=SC2154
  [ -z "$layerMacro" ] || layerPackages=$layerMacro layerCargo check
}

# Fails when cargo compiled anything but the layer's own packages: checkFresh MESSAGES
checkFresh() {
  local strangers
  # shellcheck disable=SC2154
  [ -z "${layerMayRebuild-}" ] || return 0
  # rustc cannot write anew what is linked from another layer: then there is an error and no artifact.
  strangers=$(ownMessages 'select(isOwn | not)
    | select((.reason == "compiler-artifact" and .fresh == false)
      or (.reason == "compiler-message" and .message.level == "error"))
    | .package_id' <"$1")
  if [ -n "$strangers" ]; then
    echo "error: the layer $name compiled more than its own crate:"
    echo "$strangers" | sort -u | sed 's/^/  /'
    echo "Its artifacts should have come from the layers below it. That happens when features resolve"
    echo "in another way there, or when a build script looks at the environment: see docs/caching.md."
    return 1
  fi >&2
}

# Says what to do where a file was not there: explainFailure LOG...
explainFailure() {
  grep -q "couldn't read\|file not found for module\|No such file or directory" "$@" || return 0
  # shellcheck disable=SC2154
  echo "note: a layer holds the folders of \`$layerMember\` and its dependencies, without their tests, benches and"
  echo "note: examples. If \`$layerMember\` reads another file, name it in the arguments of mkWorkspace:"
  echo "note:   members.$layerMember.files = [ \"path/from/the/root\" ];   (testFiles, where only its tests read it)"
} >&2

# Moves what cargo made in this layer to DESTINATION: installArtifacts DESTINATION
installArtifacts() {
  local destination=$1 list=$NIX_BUILD_TOP/delta
  mkdir -p "$destination/links" "$destination/copies"
  # The skeleton's own artifacts stay here. So does what no later layer reads: explanations (.json), make's
  # rules (.d), when a compiler started, what build scripts complained of, and their second names, which
  # cargo gives them again.
  (
    cd target
    find . -type f -newer "$NIX_BUILD_TOP/inherited" \( \
      -path '*/.fingerprint/*' -o -path '*/deps/*' -o -path '*/build/*' -o -name .rustc_info.json \) \
      ! -path '*workspace[-_]skeleton*' ! -path '*/.fingerprint/*.json' ! -path '*/deps/*.d' \
      ! -name invoked.timestamp \
      ! -regex '.*/build/[^/]*/\(stderr\|build-script-[^/]*\)' -printf '%P\n'
  ) >"$list"
  local copied='^.rustc_info.json$|/\.fingerprint/|/build/[^/]*/(output|root-output)$'
  grep -E "$copied" "$list" | rsync -a --files-from=- target/ "$destination/copies/" || true
  grep -Ev "$copied" "$list" | rsync -a --files-from=- target/ "$destination/links/" || true
}

# Installs the programs and C libraries of the layer's own packages: installProducts DESTINATION [ARTIFACTS]
#
# Each is an artifact too, under another name; ARTIFACTS gets a link to it in its place.
installProducts() {
  ownMessages '
    select(.reason == "compiler-artifact" and isOwn and (.profile.test | not))
    | select(.manifest_path | contains("/workspace-skeleton/") | not)
    | (select(.executable != null and (.target.kind | index("bin"))) | "bin \(.executable)"),
      (select(.target.kind | any(. == "cdylib" or . == "staticlib" or . == "dylib"))
        | .filenames[] | select(test("\\.(so|dylib|dll|a|wasm)$")) | "lib \(.)")' \
    <"$NIX_BUILD_TOP/all-messages" | sort -u | while read -r kind file; do
    local product=$1/$kind/${file##*/}
    mkdir -p "$1/$kind"
    cp -L "$file" "$product"
    [ -n "${2-}" ] || continue
    find target -path '*/deps/*' -samefile "$file" -printf '%P\n' | while read -r artifact; do
      ln -sf "$product" "$2/links/$artifact"
    done
  done
}

# Fails when clippy had anything to say of the layer's own member.
#
# Where warnings are denied, lints are capped to warnings in the layers below, so that one member's
# lints do not stop the others.
denyLints() {
  if [ -n "$(ownMessages 'select(.reason == "compiler-message" and isOwn) | .message.message' \
    <"$NIX_BUILD_TOP/all-messages")" ]; then
    # shellcheck disable=SC2154
    echo "error: clippy found the above in \`$layerMember\`, and warnings are denied" >&2
    return 1
  fi
}

# How layers run cargo, and what they say of it. Sourced by the derivations of layer.nix.

# Selects those of cargo's messages that are about the layer's own packages: ownMessages JQ_ARG... <MESSAGES
ownMessages() {
  # shellcheck disable=SC2154
  jq -r --arg own "$layerOwn" --arg root "$PWD" '
    ($own | split("\n") | map("\($root)/\(.)/Cargo.toml" | gsub("//+"; "/"))) as $own
    | def isOwn: $own == [] or (.manifest_path as $path | any($own[]; . == $path));
    '"$1"
}

# Runs cargo for the layer's package, and says what it compiled: layerCargo SUBCOMMAND [ARG...]
layerCargo() {
  local output=$NIX_BUILD_TOP/output messages=$NIX_BUILD_TOP/messages errors=$NIX_BUILD_TOP/errors status=0
  : >"$errors" >"$output"
  runCargo "$@" || status=$?
  # cargo empties the fingerprints of what it compiles again before it begins, and so before it says why.
  if [ "$status" != 0 ] && grep -q 'failed to write .*fingerprint/' "$errors"; then
    status=0
    : >"$errors"
    withCopies '*fingerprint*' "$@" || status=$?
  fi
  if [ "$status" != 0 ] && meetsLinks; then
    status=0
    withCopies '*' "$@" || status=$?
  fi
  # Procedural macros print among cargo's messages.
  jq -cR 'fromjson? | objects | select(.package_id | strings)' <"$output" >"$messages"
  cat "$messages" >>"$NIX_BUILD_TOP/all-messages"
  withoutMessages <"$output" >&2 || true
  # cargo repeats the warnings of dependencies: they are the other layers' matter.
  ownMessages 'select(.reason == "compiler-message" and isOwn) | .message.rendered' <"$messages" >&2
  reportCompiledAgain || [ "$status" != 0 ] || status=1
  if [ "$status" != 0 ]; then
    ownMessages 'select((isOwn | not) and .message.level? == "error") | .message.rendered' <"$messages" >&2
    explainFailure "$errors" <(jq -r '.message.rendered? // empty' "$messages") || true
  fi
  return "$status"
}

# Runs cargo with its output in one file and its words in another. Says why it compiles something again
# (`Dirty`), but not with which commands.
runCargo() {
  # shellcheck disable=SC2086
  cargo "$1" --offline --verbose --profile "$layerProfile" ${layerTarget:+--target "$layerTarget"} $layerPackages \
    --message-format json "${@:2}" 2>&1 >>"$output" | tee -a "$errors" |
    grep -vE --line-buffered '^ +(Fresh|Running) |process didn.t exit successfully: .*rustc --crate-name' >&2
  return "${PIPESTATUS[0]}"
}

# Leaves out cargo's messages: withoutMessages <OUTPUT
withoutMessages() {
  grep -av --line-buffered '^{"reason":"[a-z-]*",'
}

# Runs the layer's tests. What they print is not looked at: it may look like cargo's messages.
layerTest() {
  local output=$NIX_BUILD_TOP/output status=0
  layerCargo test --no-run
  runTests || status=$?
  [ "$status" = 0 ] || explainFailure "$output" || true
  return "$status"
}

# Has tests find the workspace itself, with its manifests as they are: showWorkspace WORKSPACE [RUNNER...]
#
# cargo has read the layer's own by the time that it starts the first test, and starts all through this program.
# It starts them by the RUNNER that cargo's configuration names, or the environment.
showWorkspace() {
  local runner=$NIX_BUILD_TOP/runner own=("${@:2}") triple variable
  triple=${layerTarget:-$(rustc -vV | sed -n 's/^host: //p')}
  variable=CARGO_TARGET_$(tr 'a-z.-' 'A-Z__' <<<"$triple")_RUNNER
  [ -z "${!variable-}" ] || read -ra own <<<"${!variable}"
  case ${own-} in
    /*) ;;
    */*) own[0]=$PWD/${own[0]} ;;
  esac
  cat >"$runner" <<END
#!$SHELL
set -e
$(declare -f placeFiles)
$(declare -p "$variable" 2>/dev/null || echo "unset $variable")
if mkdir "$NIX_BUILD_TOP/shown" 2>/dev/null; then
  rm -r "$PWD/gantry-dependencies"
  placeFiles "$1" "$PWD"
fi
exec ${own[*]@Q} "\$@"
END
  chmod +x "$runner"
  export "$variable=$runner"
}

# Runs what is compiled, without the warnings that were shown before.
runTests() {
  # shellcheck disable=SC2086
  cargo test --offline --no-fail-fast --profile "$layerProfile" ${layerTarget:+--target "$layerTarget"} $layerPackages \
    --message-format json 2>&1 | tee "$output" | withoutMessages
  return "${PIPESTATUS[0]}"
}

# Checks what procedural macros depend on, through the dependencies package's own.
#
# By itself: cargo gives a macro that it is told to build the features of the target, too, and so its
# dependencies on the host would add theirs to those of the target. Only the first resolver does that
# anyway, and there the macro is one of `layerPackages`.
checkMacro() {
  # shellcheck disable=SC2154
  [ -z "$layerMacro" ] || layerPackages=$layerMacro layerCargo check
}

# Whether cargo failed because it would write what is linked from another layer.
meetsLinks() {
  grep -q '^ *Dirty ' "$errors" &&
    cat "$errors" "$output" | grep -qE 'is not writ[e]able|Permission denied|Read-only file system|failed to run custom build command' &&
    [ -n "$(find target -lname "$NIX_STORE/*" -print -quit)" ]
}

# Runs cargo with copies in the place of those links to other layers: withCopies PATTERN SUBCOMMAND [ARG...]
withCopies() {
  echo "note: cargo compiles what is linked from another layer again: with copies of it" >&2
  find target -lname "$NIX_STORE/*" -path "$1" -print0 | while IFS= read -r -d '' link; do
    cp -r -L --preserve=timestamps,mode "$link" "$link.copy"
    chmod -R u+w "$link.copy"
    rm "$link"
    mv "$link.copy" "$link"
  done
  runCargo "${@:2}"
}

# Says what cargo compiled besides the layer's own packages, and in cargo's words why. One line each, that
# programs can read: gantry: compiled again: NAME VERSION: REASON
reportCompiledAgain() {
  local crate version reason found=
  while read -r crate version; do
    found=1
    reason=$(sed -n "s/^ *Dirty $crate v$version\( ([^)]*)\)\{0,1\}: //p" "$errors" | head -n 1)
    echo "gantry: compiled again: $crate $version: ${reason:-no layer below has it with these features and settings}" >&2
  done < <(ownMessages '
    select((isOwn | not) and .reason == "compiler-artifact" and .fresh == false)
    | .package_id | capture("(?<base>[^/#]*)#((?<name>.*)@)?(?<version>[^@]*)$")
    | "\(.name // .base) \(.version)"' <"$messages" | sort -u)
  # shellcheck disable=SC2154
  if [ -n "$found" ] && [ "$layerFreshness" = require ] && [ -z "${layerMayRebuild-}" ]; then
    echo "error: the layer $name compiled more than its own crate, and freshness = \"require\" forbids it" >&2
    return 1
  fi
}

# Names what was not there, with the argument that brings it: explainFailure LOG...
explainFailure() {
  local missing files programs
  missing=$(missingPaths "$@")
  files=$(grep -v '^target\(/\|$\)' <<<"$missing" | asList)
  programs=$(sed -n 's,^target/\([^/]*/\)\{1\,2\}\([^/]*\)$,\2,p' <<<"$missing" | asList)
  # shellcheck disable=SC2154
  if [ -z "$layerMember" ]; then
    [ -n "$files" ] || return 0
    echo "note: packages that are no members do not find all that they read. Name it in the arguments of mkWorkspace:"
    echo "note:   files = [ $files];"
    return 0
  fi
  if [ -n "$files" ]; then
    echo "note: the layers of \`$layerMember\` do not hold all that it reads. Name it in the arguments of mkWorkspace:"
    echo "note:   members.$layerMember.${layerFiles-files} = [ $files];"
    echo "note: or, for every member: files = [ $files];"
  fi
  if [ -n "$programs" ]; then
    echo "note: programs of members that \`$layerMember\` does not depend on are named in the arguments of mkWorkspace:"
    echo "note:   members.$layerMember.programs = [ $programs];"
  fi
} >&2

# Lines as elements of a list in Nix.
asList() {
  sed '/./!d; s/["\\$]/\\&/g; s/.*/"&" /' | tr -d '\n'
}

# Prints the paths, from the root, that these logs say are missing; of a missing folder its own.
missingPaths() {
  local log=$NIX_BUILD_TOP/log folder folders
  local words="No such file|NotFound|[Nn]ot found|do(es)?(n't| not) exist|is not in any|cargo sqlx prepare"
  words+="|([Cc]an(not|'t)|[Cc]ould(n't| not)|[Uu]nable to|[Ff]ailed to) (find|open|read)"
  cat "$@" >"$log"
  # What paths may be relative to: the root, and the folder of the package that reads them. Of third-party crates
  # that is not here.
  if [ -n "$layerMember" ]; then
    folders=(. "$layerFolder")
  else
    mapfile -t folders < <(
      grep -aoE "\($PWD/[^)]*\)" "$log" | sed "s,^($PWD/,,; s,)\$,," | grep -v '^gantry-dependencies' | sort -u |
        sed '1i .'
    )
  fi
  grep -aE "$words" "$log" |
    grep -aoE "\`[^\`]+\`|\"[^\"]+\"|'[^']+'|[^][ \`\"'(),;<>]+" | sed "s/^[\`\"']//; s/[\`\"':]*\$//" | sort -u |
    while IFS= read -r path; do
      case $path in
        /*) missingBelow "$path" ;;
        # sqlx says so where a query is not stored, and does not say where it looked.
        "cargo sqlx prepare") missingBelow "$PWD/.sqlx" ;;
        */*)
          for folder in "${folders[@]}"; do
            ! missingBelow "$PWD/$folder/$path" || break
          done
          ;;
      esac || true
    done | sort -u
}

# Prints the topmost folder of a path that is missing below the root.
missingBelow() {
  local path parent
  path=$(realpath -m -- "$1")
  case $path in
    "$PWD/.cargo/"* | "$PWD/gantry-dependencies"*) return 1 ;;
    "$PWD"/*) ;;
    *) return 1 ;;
  esac
  [ ! -e "$path" ] || return 1
  while parent=$(dirname "$path") && [ ! -e "$parent" ]; do path=$parent; done
  printf '%s\n' "${path#"$PWD"/}"
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

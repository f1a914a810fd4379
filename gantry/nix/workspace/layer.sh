# What every layer does around its cargo commands. Sourced by the derivations of layer.nix,
# together with cargo.sh.
#
# What a layer stores is what was not there before, in four trees: `links` (libraries, build scripts and what else is
# large), which later layers link to; `copies`, small files that cargo may write again, and links to `folders`, the
# fingerprints, each as a whole, since file systems take long to make and delete many files; and `sources`, what
# build scripts wrote beside the code.
#
# Everything in the Nix store has the same time, and cargo takes what is not newer than its artifact as fresh. That is
# right here only because a layer never inherits artifacts of another source of the same package: its inputs are the
# layers of exactly these sources.

# Copies files: placeFiles FROM TO
placeFiles() {
  [ ! -h "$2" ] || rm "$2"
  if [ -d "$1" ]; then
    mkdir -p "$2"
    cp -r --remove-destination --preserve=mode,timestamps "$1/." "$2"
    # Nothing in the store can be written.
    chmod -R u+w "$2"
  else
    mkdir -p "$(dirname "$2")"
    cp --remove-destination --preserve=timestamps --no-preserve=ownership "$1" "$2"
    chmod u+w "$2"
  fi
}

# Makes everything as old as the Nix store is, whatever was written here.
makeOld() {
  find . "$vendored" -newermt @2 -exec touch -h -d @1 {} +
}

# Has cargo write the lock file before anything looks at its time.
#
# It belongs to a package at the root, and a build script may watch it. cargo takes out of the lock file
# what this layer's part of the workspace does not need.
settleLockFile() {
  cargo metadata --offline --format-version 1 >/dev/null
  touch -d @1 Cargo.lock
}

# Where the sources of third-party crates are. Not in the workspace: their build scripts may ask cargo about their
# own crates, and it takes what is below a workspace for a part of it.
vendored=$NIX_BUILD_TOP/vendored
mkdir -p "$vendored"

# Puts the sources of third-party crates where a file can be put beside them.
#
# cargo notes where they are, so that they must have the same name in every layer: they have in a sandbox.
ownVendoredFolders() {
  local folder own
  [ "$NIX_BUILD_TOP" = /build ] || return 0
  cat .cargo/config.toml "$CARGO_HOME/config.toml" 2>/dev/null |
    sed -n "s,^.*directory = \"\($NIX_STORE/[^\"]*\)\".*,\1,p" | sort -u | while IFS= read -r folder; do
    own=$vendored/$(basename "$folder")
    ln -s "$folder" "$own"
    sed -i "s,\"$folder\",\"$own\"," .cargo/config.toml "$CARGO_HOME/config.toml"
  done
}

# Takes in what other layers made: inheritArtifacts LAYER...
inheritArtifacts() {
  local layer
  mkdir -p target
  for layer in "$@"; do
    cp -r --symbolic-link --force --no-preserve=mode "$layer/links/." target
    cp -r --remove-destination --no-preserve=mode --preserve=timestamps "$layer/copies/." target
    [ ! -d "$layer/sources" ] || placeFiles "$layer/sources" .
  done
  if [ $# -gt 0 ]; then
    # Programs stay executable, which `--no-preserve=mode` forgets.
    find "${@/%/\/copies}" -type f -perm -u+x -printf '%P\0' | (cd target && xargs -0 --no-run-if-empty chmod +x)
    cat "${@/%/\/watched}" | placeWatched
  fi
  makeOld
  listFiles >"$NIX_BUILD_TOP/inherited"
}

# Puts a file where a build script of another layer watches one that is not here: placeWatched <PATHS
#
# cargo would run that script again, and compile everything above it. No script can read the file, so
# that those of this layer see what they would see without it.
placeWatched() {
  local path
  sed "s,/*\$,,; s,^,$NIX_BUILD_TOP/," | sort -u | while IFS= read -r path; do
    case $path in
      */Cargo.lock) [ ! "$path" -ef Cargo.lock ] || settleLockFile ;;
    esac
    [ ! -e "$path" ] || continue
    case $path in
      "$vendored"/*) ownVendoredCrate "$path" ;;
    esac
    mkdir -p "$(dirname "$path")" 2>/dev/null && touch "$path" 2>/dev/null && chmod 000 "$path" || true
  done
}

# Makes the folder of a vendored crate one of links: ownVendoredCrate PATH_IN_IT
ownVendoredCrate() {
  local crate=${1#"$vendored"/*/} all target
  all=${1%"/$crate"}
  crate=$all/${crate%%/*}
  if [ -h "$all" ]; then
    target=$(readlink -f "$all")
    rm "$all"
    mkdir "$all"
    ln -s "$target"/* "$all"
  fi
  if [ -h "$crate" ]; then
    target=$(readlink -f "$crate")
    rm "$crate"
    cp -r --symbolic-link --no-preserve=mode "$target" "$crate"
  fi
}

# Puts programs of other members where tests look for them: placePrograms FOLDER LAYER...
placePrograms() {
  local layer
  mkdir -p "$1"
  for layer in "${@:2}"; do
    ln -sf "$layer"/bin/* "$1"
  done
}

# Prints every file, link and empty folder, with what tells whether it was changed.
listFiles() {
  find . \( ! -type d -o -empty \) -printf '%y %n %s %T@ %P\0' | LC_ALL=C sort -z
}

# Prints the packages of build scripts and where these wrote: FOLDER <TAB> OUT_DIR
scriptFolders() {
  jq -rs '
    (map(select(.manifest_path) | { key: .package_id, value: (.manifest_path | sub("/[^/]*$"; "")) })
      | from_entries) as $folders
    | map(select(.reason == "build-script-executed")) | unique_by(.out_dir)[]
    | "\($folders[.package_id])\t\(.out_dir)"' <"$NIX_BUILD_TOP/all-messages"
}

# Prints the files that the build scripts of this layer and those below it watch, from the build folder.
watchedFiles() {
  # Where cargo keeps what a script said depends on how it lays out its build folder.
  scriptFolders | LC_ALL=C awk -F '\t' -v top="$NIX_BUILD_TOP/" '
    function read(file, line) {
      while ((getline line <file) > 0)
        if (sub(/^cargo::?rerun-if-changed=/, "", line)) {
          if (line !~ /^\//) line = $1 "/" line
          if (index(line, top) == 1) print substr(line, length(top) + 1)
        }
      close(file)
    }
    { read($2 "/../output"); read($2 "/../run/stdout") }' | sort -u
}

# Stores what this layer made: installArtifacts DESTINATION
#
# Not stored is what no later layer reads: the dependencies package's own artifacts, make's rules (.d),
# locks, when a compiler started, what build scripts complained of, and second names of a file, which
# cargo gives it again. What build scripts wrote into OUT_DIR is stored whatever its name.
installArtifacts() {
  local destination=$1 new=$NIX_BUILD_TOP/new tree from folder
  watchedFiles >"$NIX_BUILD_TOP/watched-here"
  mkdir -p "$new"
  listFiles | LC_ALL=C comm -z -13 "$NIX_BUILD_TOP/inherited" - |
    LC_ALL=C awk -v RS='\0' -v ORS='\0' -v new="$new" '
      { type = $1; names = $2; size = $3; path = $0; sub(/^([^ ]* ){4}/, "", path) }
      path ~ /gantry[-_]dependencies|^Cargo\.lock$/ { next }
      path !~ /^target\// { print path >(new "/sources"); next }
      path ~ /^target\/([^\/]*\/)?[^\/]*\/build\/[^\/]*\/([^\/]*\/)?out\// { store(); next }
      path ~ /\/(incremental|examples)\/|\/(\.cargo[^\/]*lock|CACHEDIR\.TAG|invoked\.timestamp)$/ { next }
      path ~ /\/deps\/[^\/]*\.d$|\/build\/[^\/]*\/(stderr|build-script-[^\/]*)$/ { next }
      path !~ /\/(\.fingerprint|deps|build)\// && (type == "d" || names > 1 || path ~ /\.d$/) { next }
      match(path, /\/\.fingerprint\/[^\/]*|\/build\/[^\/]*\/[^\/]*\/fingerprint\>/) {
        folder = substr(path, 8, RSTART + RLENGTH - 8)
        if (!(folder in folders)) print folder >(new "/folders")
        folders[folder]
        next
      }
      { store() }
      function store() { print substr(path, 8) >(new (type == "f" && size > 65536 ? "/links" : "/copies")) }'
  mkdir -p "$destination/links" "$destination/copies"
  for tree in links folders copies sources; do
    [ -e "$new/$tree" ] || continue
    from=target
    [ $tree != sources ] || from=.
    # Only `-r` goes into folders that such a list names.
    rsync -a -r --from0 --files-from="$new/$tree" $from/ "$destination/$tree/"
  done
  [ ! -e "$new/folders" ] || while IFS= read -r -d '' folder; do
    rm -f "$destination/folders/$folder/invoked.timestamp"
    mkdir -p "$(dirname "$destination/copies/$folder")"
    ln -s "$destination/folders/$folder" "$destination/copies/$folder"
  done <"$new/folders"
  mv "$NIX_BUILD_TOP/watched-here" "$destination/watched"
}

# Installs the programs and C libraries of the layer's own packages: installProducts DESTINATION [ARTIFACTS]
#
# Each is an artifact too, under other names; ARTIFACTS gets links to it in their place. One of them is
# that under which tests of other members look for it.
installProducts() {
  ownMessages '
    select(.reason == "compiler-artifact" and isOwn and (.profile.test | not))
    | select(.manifest_path | contains("/gantry-dependencies/") | not)
    | (select(.executable != null and (.target.kind | index("bin"))) | "bin \(.executable)"),
      (select(.target.kind | any(. == "cdylib" or . == "staticlib" or . == "dylib"))
        | .filenames[] | select(test("\\.(so|dylib|dll|a|wasm)$")) | "lib \(.)")' \
    <"$NIX_BUILD_TOP/all-messages" | sort -u | while read -r kind file; do
    local product=$1/$kind/${file##*/}
    mkdir -p "$1/$kind"
    cp -L "$file" "$product"
    [ -n "${2-}" ] || continue
    find target -samefile "$file" -printf '%P\0' | while IFS= read -r -d '' artifact; do
      rm -f "$2/copies/$artifact"
      mkdir -p "$2/links/$(dirname "$artifact")"
      ln -sf "$product" "$2/links/$artifact"
    done
  done
}

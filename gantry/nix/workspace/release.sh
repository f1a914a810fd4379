# What holds of a program for people without Nix. Sourced by the derivations of release.nix.

# Fails where a program needs what the machines of others do not have: checkProgram FILE
checkProgram() {
  local needed
  if [ "$(uname)" = Darwin ]; then
    useLibrariesOfMacOS "$1"
    needed=$(librariesOfMacOS "$1")
    needed=$(grep -vE '^(/usr/lib|/System)/' <<<"$needed" || true)
  else
    needed=$(readelf --wide --program-headers --dynamic "$1" |
      sed -n 's/.*program interpreter: \(.*\)\]/\1/p; s/.*(NEEDED).*\[\(.*\)\]/\1/p')
  fi
  # Not only libraries: what it opens while it runs, too. The digits are those of a hash in base 32.
  needed=$({
    echo "$needed"
    grep -aoE "$NIX_STORE/[0-9a-df-np-sv-z]{32}-[[:alnum:]+._?=/-]+" "$1" || true
  } | sed '/./!d' | sort -u)
  [ -n "$needed" ] || return 0
  {
    echo "error: ${1##*/} is for people without Nix, whose machines do not have what it needs:"
    sed 's/^/error:   /' <<<"$needed"
    echo "note: a library can be linked in instead: most crates that bind one have a feature for that, which"
    echo "note: \`release-features\` in [package.metadata.ci] turns on"
  } >&2
  return 1
}

# Prints the libraries that a program for macOS loads.
librariesOfMacOS() {
  otool -L "$1" | sed 1d | awk '{ print $1 }'
}

# Has a program load those libraries from the system that nixpkgs has too, and which every Rust program names.
useLibrariesOfMacOS() {
  local library
  for library in $(librariesOfMacOS "$1" | grep "^$NIX_STORE/.*/libiconv\.2\.dylib$"); do
    chmod u+w "$1"
    install_name_tool -change "$library" /usr/lib/libiconv.2.dylib "$1"
  done
}

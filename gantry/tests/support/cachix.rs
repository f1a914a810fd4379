//! A stand-in for cachix.org and its program, on a folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use super::Workspace;
use super::cache::{Key, configure};

/// A program `cachix` that takes what cachix documents and nothing else, and puts paths into a
/// folder as the server would.
///
/// Syntax: `cachix push CACHE [PATHS]`, or with the paths on standard input, `cachix pin CACHE NAME PATH`.
const CACHIX: &str = r#"#!/bin/sh
set -eu
refuse() { echo "cachix stand-in: $1" >&2; exit 64; }
[ "$*" != "push acme" ] || set -- "$@" $(cat)
echo "$*" >> "$CACHIX_LOG"
[ "${CACHIX_AUTH_TOKEN-}" = token ] || refuse "no token"
case "$1" in
  push)
    [ "$2" = acme ] || refuse "cache $2"
    shift 2
    [ $# -gt 0 ] || refuse "no paths"
    for path; do case "$path" in /nix/store/*) ;; *) refuse "path $path" ;; esac; done
    nix copy --to "file://$CACHIX_SERVED?secret-key=$CACHIX_KEY" "$@"
    ;;
  pin)
    [ $# = 4 ] || refuse "pin takes three arguments"
    [ "$2" = acme ] || refuse "cache $2"
    case "$4" in /nix/store/*) ;; *) refuse "path $4" ;; esac
    [ -e "$4" ] || refuse "not in the store"
    hash=$(basename "$4" | cut -d- -f1)
    [ -e "$CACHIX_SERVED/$hash.narinfo" ] || refuse "400: not pushed"
    ;;
  *) refuse "command $1" ;;
esac
"#;

/// A program `nix` for which the folder is `https://acme.cachix.org`, and that is Nix otherwise.
const NIX: &str = r#"#!/bin/sh
set -eu
there=https://acme.cachix.org here=file://$CACHIX_SERVED
if [ "$1" = config ]; then
  "$REAL_NIX" "$@" | sed "s|$here|$there|g"
  exit
fi
for argument; do
  shift
  case "$argument" in *"$there"*) argument=${argument%%"$there"*}$here${argument#*"$there"} ;; esac
  set -- "$@" "$argument"
done
exec "$REAL_NIX" "$@"
"#;

/// A workspace whose cache is at cachix.org, which is a folder here.
pub(crate) struct Cachix {
    pub(crate) workspace: Workspace,
    key: Key,
}

impl Cachix {
    /// Gives the workspace that cache.
    pub(crate) fn new(workspace: Workspace) -> Self {
        let key = Key::new(&workspace, "acme.cachix.org-1");
        configure(&workspace, "name = \"acme\"", &key);
        for (name, script) in [("cachix", CACHIX), ("nix", NIX)] {
            let file = format!("bin/{name}");
            workspace.write(&file, script);
            let executable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(workspace.path().join(file), executable).unwrap();
        }
        fs::create_dir(workspace.path().join("served")).unwrap();
        Self { workspace, key }
    }

    /// A command that runs the program with the two programs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let path = std::env::var("PATH").unwrap();
        let real = std::env::split_paths(&path).map(|folder| folder.join("nix"));
        let real = real.into_iter().find(|file| file.exists()).unwrap();
        let inside = |name: &str| self.workspace.path().join(name);
        let mut command = self.workspace.command(arguments);
        command
            .env("PATH", format!("{}:{path}", inside("bin").display()))
            .env("REAL_NIX", real)
            .env("CACHIX_AUTH_TOKEN", "token")
            .env("CACHIX_SERVED", inside("served"))
            .env("CACHIX_KEY", &self.key.secret)
            .env("CACHIX_LOG", inside("cachix.log"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What cachix was called with.
    pub(crate) fn calls(&self) -> Vec<String> {
        let log = fs::read_to_string(self.workspace.path().join("cachix.log"));
        log.unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

# Public workspaces that were not made for layers: where they are, what is particular to them, a file of a
# member that no other depends on, and what manifests do not say: `files` that belong to no member, and for
# both sides what is linted and the libraries of the system.
let
  # Without benchmarks, which need a nightly compiler.
  lintTargets = "--bins --examples --tests";
in
{
  axum = {
    repository = "tokio-rs/axum";
    revision = "3d78036dcac289d6c1d54934708acb6a5bd73686";
    habit = "a web framework";
    leaf = "axum-extra/src/lib.rs";
  };
  bzip2 = {
    repository = "trifectatechfoundation/bzip2-rs";
    revision = "a1652196e8451c8e32022d5a4fa4debb51c279ee";
    habit = "a `-sys` crate that compiles C";
    leaf = "src/lib.rs";
  };
  cc = {
    repository = "rust-lang/cc-rs";
    revision = "a91e05ec40f26d4637d4bff9e9764221d0a59dd8";
    habit = "compiles C and assembly in tests";
    leaf = "dev-tools/gen-target-info/src/main.rs";
  };
  crossbeam = {
    repository = "crossbeam-rs/crossbeam";
    revision = "7de845aa13ce5d80084ce0889e014ae0aa0d19ce";
    habit = "features for nightly compilers, off";
    leaf = "src/lib.rs";
    inherit lintTargets;
  };
  cursive = {
    repository = "gyscos/cursive";
    revision = "9c0f983f3c691b3a818b2abe408542d3e71894d0";
    habit = "a TUI";
    leaf = "cursive-syntect/src/lib.rs";
  };
  cxx = {
    repository = "dtolnay/cxx";
    revision = "aeb2e3d2a39ae20e5d3accf046e883f33395c507";
    habit = "generates and compiles C++";
    leaf = "demo/src/main.rs";
    files = [ "tools/cargo" ];
  };
  formats = {
    repository = "RustCrypto/formats";
    revision = "cb02c0f0418bf1cb133892165f9979360664eabe";
    habit = "`no_std`, with derive macros";
    leaf = "cms/src/lib.rs";
    inherit lintTargets;
  };
  hashes = {
    repository = "RustCrypto/hashes";
    revision = "f6c786d72ed4d37a32dcd32daa2e7277dd4683e1";
    habit = "`no_std`, patches its own members";
    leaf = "md2/src/lib.rs";
    inherit lintTargets;
  };
  minijinja = {
    repository = "mitsuhiko/minijinja";
    revision = "eb17be5752d267eb446465a23a90e3818a456c6c";
    habit = "its examples are members";
    leaf = "examples/hello/src/main.rs";
  };
  rand = {
    repository = "rust-random/rand";
    revision = "bb1262f703ca04e4ce56be78e1dc4e204cd6a998";
    habit = "one package, features for nightly compilers, off";
    leaf = "src/lib.rs";
  };
  ratatui = {
    repository = "ratatui/ratatui";
    revision = "527e1df9296e4b6d56dc665788ce558558b480c6";
    habit = "a TUI of many members";
    leaf = "examples/apps/minimal/src/main.rs";
  };
  regex = {
    repository = "rust-lang/regex";
    revision = "2b527599eb9eea0dcc288c704584f242f26a5c61";
    habit = "test data beside the members";
    leaf = "regex-cli/main.rs";
    inherit lintTargets;
  };
  ripgrep = {
    repository = "BurntSushi/ripgrep";
    revision = "3fce3b5bb0236da2df6d99672afb8a719642eca7";
    habit = "a program";
    leaf = "crates/core/main.rs";
    inherit lintTargets;
  };
  serde = {
    repository = "serde-rs/serde";
    revision = "1023d077510b4aef36a41ef56fdb7798568a2654";
    habit = "a procedural macro";
    leaf = "test_suite/tests/test_de.rs";
  };
  thiserror = {
    repository = "dtolnay/thiserror";
    revision = "aa9d91f75302025e0c1d4c535d84a5bfdad62508";
    habit = "its build script compiles a probe";
    leaf = "tests/no-std/test.rs";
  };
  tracing = {
    repository = "tokio-rs/tracing";
    revision = "f40ccdaa03cf114c7ee1ef14949207626bf6be57";
    habit = "a member beside its published release";
    leaf = "examples/examples/counters.rs";
  };
  web-app = {
    repository = "rust10x/rust-web-app";
    revision = "fa82cdc3e04039eb39af60f1f4a06f00dc500790";
    habit = "a web server with a database driver";
    leaf = "crates/tools/gen-key/src/main.rs";
  };
  xshell = {
    repository = "matklad/xshell";
    revision = "52f71bac326aaac291d07146ea790ad886dd8131";
    habit = "tests that run programs";
    leaf = "src/lib.rs";
  };
}

# cfg(…) predicates on the platforms of this project.
{ lib }:

let
  platform = import ../workspace/platform.nix { inherit lib; };
  on = triple: platform.matches (platform.fromTriple triple);
  linux = on "x86_64-unknown-linux-gnu";
  mac = on "aarch64-apple-darwin";
  wasm = on "wasm32-unknown-unknown";

  test = expr: expected: { inherit expr expected; };
in
{
  "a flag" = test [ (linux "cfg(unix)") (mac "cfg(unix)") (wasm "cfg(unix)") ] [ true true false ];
  "a value" =
    test
      [ (linux "cfg(target_os = \"linux\")") (mac "cfg(target_os = \"macos\")") ]
      [ true true ];
  "the family of wasm" = test (wasm "cfg(target_family=\"wasm\")") true;
  "not" =
    test
      [ (linux "cfg(not(windows))") (wasm "cfg(not(target_arch = \"wasm32\"))") ]
      [ true false ];
  "nested" =
    test
      [
        (linux "cfg(all(unix, not(any(target_os = \"macos\", target_env = \"musl\"))))")
        (mac "cfg(all(unix, not(any(target_os = \"macos\", target_env = \"musl\"))))")
      ]
      [ true false ];
  "empty lists" = test [ (linux "cfg(all())") (linux "cfg(any())") ] [ true false ];
  "features and atomics of the processor" =
    test
      [
        (linux "cfg(target_feature = \"sse2\")")
        (mac "cfg(target_feature = \"neon\")")
        (linux "cfg(target_feature = \"avx2\")")
        (on "thumbv6m-none-eabi" "cfg(target_has_atomic = \"ptr\")")
        (on "riscv32i-unknown-none-elf" "cfg(any(target_has_atomic = \"32\", target_os = \"linux\"))")
      ]
      [ true true false false false ];
  "panic differs by target" =
    test
      [ (linux "cfg(panic = \"unwind\")") (wasm "cfg(panic = \"unwind\")") ]
      [ true false ];
  "an unknown flag is off" = test (linux "cfg(tokio_unstable)") false;
  "environment and width" =
    test
      [
        (linux "cfg(all(target_env = \"gnu\", target_pointer_width = \"64\"))")
        (wasm "cfg(target_pointer_width = \"32\")")
        (on "armv7-unknown-linux-gnueabihf" "cfg(all(target_env = \"gnu\", target_abi = \"eabihf\", target_arch = \"arm\"))")
        (on "wasm32-wasip1" "cfg(all(target_os = \"wasi\", target_env = \"p1\"))")
      ]
      [ true true true true ];
  "flags of rustc" =
    let
      withFlags = import ../workspace/rustflags.nix { inherit lib platform; };
      linux = platform.fromTriple "x86_64-unknown-linux-gnu";
      finds =
        config: env: cfg:
        platform.matches (withFlags { inherit config env; } linux) "cfg(${cfg})";
      everywhere.build.rustflags = [
        "--cfg"
        "special"
        "-Cdebuginfo=1"
        "--cfg=backend=\"own\""
      ];
      processor.build.rustflags = "-C target-feature=+avx2,-sse2 -Cpanic=abort";
      onLinux.target."cfg(unix)".rustflags = "-C opt-level=1 --cfg tuned";
    in
    test
      [
        (finds everywhere { } "all(special, backend = \"own\", unix)")
        (finds everywhere { } "backend = \"other\"")
        (finds (everywhere // onLinux) { } "all(tuned, not(special))")
        (finds (everywhere // onLinux) { RUSTFLAGS = "--cfg given"; } "all(given, not(tuned))")
        (finds processor { } "all(target_feature = \"avx2\", panic = \"abort\")")
        (finds processor { } "target_feature = \"sse2\"")
      ]
      [ true false true true true false ];
  "a triple" =
    test
      [ (linux "x86_64-unknown-linux-gnu") (linux "x86_64-pc-windows-msvc") ]
      [ true false ];
}

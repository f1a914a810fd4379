# What `cfg(…)` in a manifest means for a target triple.
#
# Which dependencies a member has depends on the platform, and Nix must know it before cargo runs.
# Only what cargo itself knows of a platform can be asked for in a manifest: rustc's `--print cfg`.
{ lib }:

let
  architectures = {
    i586 = "x86";
    i686 = "x86";
    armv6l = "arm";
    armv7 = "arm";
    armv7a = "arm";
    thumbv6m = "arm";
    thumbv7em = "arm";
    thumbv7m = "arm";
    arm64 = "aarch64";
    riscv32imac = "riscv32";
    riscv64gc = "riscv64";
    powerpc64le = "powerpc64";
  };

  systems = {
    darwin = "macos";
    wasip1 = "wasi";
    wasip2 = "wasi";
  };

  unix = [
    "android"
    "dragonfly"
    "emscripten"
    "freebsd"
    "illumos"
    "ios"
    "linux"
    "macos"
    "netbsd"
    "openbsd"
    "solaris"
  ];

  # The atomic operations that a platform has; only exotic ones lack any of these.
  atomics = [
    "8"
    "16"
    "32"
    "64"
    "ptr"
  ];

  fromTriple =
    triple:
    let
      parts = lib.splitString "-" triple;
      length = lib.length parts;
      arch = lib.head parts;
      # arch-vendor-os-env, arch-vendor-os or arch-os
      system = if length == 2 then lib.elemAt parts 1 else lib.elemAt parts 2;
      os = systems.${system} or system;
      environment = if length > 3 then lib.elemAt parts 3 else "";
      abi = lib.findFirst (suffix: lib.hasSuffix suffix environment) "" [
        "eabihf"
        "eabi"
        "abi64"
      ];
      wasm = lib.hasPrefix "wasm" arch;
    in
    {
      inherit triple;
      flags =
        lib.optional (lib.elem os unix) "unix"
        ++ lib.optional (os == "windows") "windows"
        ++ [
          "debug_assertions"
          "true"
        ];
      values = {
        target_arch = [ (architectures.${arch} or arch) ];
        target_vendor = [ (if length == 2 then "unknown" else lib.elemAt parts 1) ];
        target_os = [ os ];
        target_env = [
          (if os == "wasi" then lib.removePrefix "wasi" system else lib.removeSuffix abi environment)
        ];
        target_abi = [ abi ];
        target_family =
          lib.optional (lib.elem os unix) "unix"
          ++ lib.optional (os == "windows") "windows"
          ++ lib.optional wasm "wasm";
        target_pointer_width = [
          (if lib.hasInfix "64" arch || arch == "s390x" then "64" else "32")
        ];
        target_endian = [
          (
            if
              lib.elem arch [
                "s390x"
                "powerpc"
                "powerpc64"
                "sparc64"
              ]
            then
              "big"
            else
              "little"
          )
        ];
        target_has_atomic = atomics;
        panic = [ "unwind" ];
      };
    };

  tokens =
    text:
    map lib.head (
      lib.filter builtins.isList (builtins.split "([(),=]|\"[^\"]*\"|[A-Za-z_][A-Za-z0-9_]*)" text)
    );

  # Reads one predicate off a list of tokens; gives its value and the tokens behind it.
  predicate =
    platform: input:
    let
      name = lib.head input;
      rest = lib.tail input;
      next = if rest == [ ] then "" else lib.head rest;
    in
    if next == "(" then
      let
        list = predicates platform (lib.tail rest);
      in
      {
        inherit (list) rest;
        value =
          {
            all = lib.all lib.id list.values;
            any = lib.any lib.id list.values;
            not = !(lib.head list.values);
          }
          .${name} or (throw "cfg: `${name}(…)` is none of all(…), any(…), not(…)");
      }
    else if next == "=" then
      {
        value = lib.elem (lib.removePrefix "\"" (lib.removeSuffix "\"" (lib.elemAt rest 1))) (
          platform.values.${name} or [ ]
        );
        rest = lib.drop 2 rest;
      }
    else
      {
        value = lib.elem name platform.flags;
        inherit rest;
      };

  # Reads predicates up to the closing parenthesis.
  predicates =
    platform: input:
    if lib.head input == ")" then
      {
        values = [ ];
        rest = lib.tail input;
      }
    else if lib.head input == "," then
      predicates platform (lib.tail input)
    else
      let
        first = predicate platform input;
        others = predicates platform first.rest;
      in
      {
        values = [ first.value ] ++ others.values;
        inherit (others) rest;
      };
in
{
  inherit fromTriple;

  # The platform with one `--cfg` of rustc more: `flag` or `name="value"`.
  withCfg =
    platform: cfg:
    let
      parts = builtins.match "([^=]+)=\"(.*)\"" cfg;
      name = lib.elemAt parts 0;
    in
    if parts == null then
      platform // { flags = platform.flags ++ [ cfg ]; }
    else
      platform
      // {
        values = platform.values // {
          ${name} = platform.values.${name} or [ ] ++ [ (lib.elemAt parts 1) ];
        };
      };

  # Whether a key of a manifest's `[target]` table, `cfg(…)` or a triple, means this platform.
  matches =
    platform: key:
    if lib.hasPrefix "cfg(" key then
      (predicate platform (tokens (lib.removePrefix "cfg(" (lib.removeSuffix ")" (lib.trim key))))).value
    else
      key == platform.triple;
}

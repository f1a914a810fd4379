# What flags for rustc make of a platform: cargo heeds their `--cfg` where a manifest says `cfg(…)`.
{ lib, platform }:

{
  # cargo's configuration (the content of .cargo/config.toml), and the environment of a build.
  config,
  env,
}:

let
  # Flags are a list, or one string with spaces.
  words =
    flags:
    if builtins.isString flags then
      lib.filter (word: word != "") (lib.splitString " " flags)
    else
      flags;

  cfgs =
    flags:
    if flags == [ ] then
      [ ]
    else
      let
        first = lib.head flags;
        rest = lib.tail flags;
      in
      if first == "--cfg" && rest != [ ] then
        [ (lib.head rest) ] ++ cfgs (lib.tail rest)
      else
        lib.optional (lib.hasPrefix "--cfg=" first) (lib.removePrefix "--cfg=" first) ++ cfgs rest;

  # Of these cargo takes the first that there is.
  flagsFor =
    p:
    let
      ofPlatform = lib.concatMap (key: words (config.target.${key}.rustflags or [ ])) (
        lib.filter (platform.matches p) (lib.attrNames (config.target or { }))
      );
    in
    if env ? RUSTFLAGS then
      words env.RUSTFLAGS
    else if ofPlatform != [ ] then
      ofPlatform
    else
      words (config.build.rustflags or [ ]);
in
# A platform (see platform.nix), as code for it is compiled with these flags.
p: lib.foldl' platform.withCfg p (cfgs (flagsFor p))

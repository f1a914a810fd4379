# What flags for rustc make of a platform, which cargo heeds where a manifest says `cfg(…)`: `--cfg`, and
# `-C` with target-feature or panic.
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

  # Flags with what belongs to them in one word: "--cfg=special", "-Ctarget-feature=+avx2".
  joined =
    flags:
    if flags == [ ] then
      [ ]
    else if
      lib.elem (lib.head flags) [
        "-C"
        "--codegen"
      ]
      && lib.length flags > 1
    then
      [ "-C${lib.elemAt flags 1}" ] ++ joined (lib.drop 2 flags)
    else if lib.head flags == "--cfg" && lib.length flags > 1 then
      [ "--cfg=${lib.elemAt flags 1}" ] ++ joined (lib.drop 2 flags)
    else
      [ (lib.head flags) ] ++ joined (lib.tail flags);

  withFeature =
    p: feature:
    let
      name = lib.substring 1 (-1) feature;
    in
    if lib.hasPrefix "-" feature then
      platform.without p "target_feature" name
    else
      platform.withCfg p "target_feature=\"${name}\"";

  heed =
    p: flag:
    if lib.hasPrefix "--cfg=" flag then
      platform.withCfg p (lib.removePrefix "--cfg=" flag)
    else if lib.hasPrefix "-Ctarget-feature=" flag then
      lib.foldl' withFeature p (lib.splitString "," (lib.removePrefix "-Ctarget-feature=" flag))
    else if lib.hasPrefix "-Cpanic=" flag then
      p
      // {
        values = p.values // {
          panic = [ (lib.removePrefix "-Cpanic=" flag) ];
        };
      }
    else
      p;

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
p: lib.foldl' heed p (joined (flagsFor p))

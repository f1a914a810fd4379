# What Cargo.toml cannot say: the programs and libraries around the workspace. Every argument is described in
# gantry's documentation, docs/nix.md.
{ pkgs, ... }:
{
  targets.native = {
    buildInputs = [ pkgs.openssl ];
    nativeBuildInputs = [ pkgs.pkg-config ];
  };
  # The programs for people without Nix have OpenSSL compiled in: with what nixpkgs compiles it with.
  release.nativeBuildInputs = pkgs.openssl.nativeBuildInputs;
}

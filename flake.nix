{
  description = "A Rust workspace whose every crate is built once";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    crane.url = "github:ipetkov/crane";
    rust-overlay = {
      url = "github:oxalica/rust-overlay";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      crane,
      rust-overlay,
    }:
    let
      inherit (nixpkgs) lib;

      # Everything below is made of this, per system.
      forSystem =
        system:
        import ./nix {
          inherit lib crane;
          inherit (self.lib) mkWorkspace;
          pkgs = nixpkgs.legacyPackages.${system}.extend rust-overlay.overlays.default;
        };
      perSystem = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ] forSystem;
      output = name: lib.mapAttrs (_: outputs: outputs.${name}) perSystem;
    in
    {
      # Crate-level build layers for any cargo workspace: docs/caching.md.
      lib.mkWorkspace = import ./nix/workspace { inherit lib; };

      packages = output "packages";
      checks = output "checks";
      devShells = output "devShells";
      apps = output "apps";
      formatter = output "formatter";

      templates = import ./templates { revision = self.rev or null; }; # only template
    };
}

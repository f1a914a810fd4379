# What `nix flake init -t` hands out: this repository itself, without what belongs to it alone.
{ revision }:

let
  template = description: parts: {
    inherit description;
    path = import ./folder.nix {
      name = "project";
      files = import ./project.nix {
        root = ../.;
        inherit parts revision;
      };
    };
    welcomeText = ''
      Give the project its name, run its CI, and see what Nix keeps of it:

      ```sh
      cargo xtask init --name acme
      cargo xtask ci
      cargo xtask status
      ```

      Without Rust on this machine, run them in the shell that `nix develop path:.` opens.
    '';
  };
in
{
  default =
    template "A native program, a wasm crate and the library they share, built crate by crate"
      [
        "template"
      ];
  minimal = template "A native program and its library, built crate by crate" [
    "template"
    "web"
  ];
}

# The flake output `templates`: what templates.toml says, as folders.
{ self }:

let
  inherit (builtins)
    attrNames
    concatMap
    elem
    fromTOML
    listToAttrs
    readDir
    readFile
    ;

  list = fromTOML (readFile ./templates.toml);

  # The files below a folder, path → text, without those that are left out. A flake that is no git
  # repository has what git does not track, too.
  filesBelow =
    folder: leftOut:
    let
      walk =
        prefix:
        let
          entries = readDir (folder + "/${prefix}");
        in
        concatMap (
          name:
          let
            path = prefix + name;
          in
          if elem path (leftOut ++ [ ".git" "target" ]) then
            [ ]
          else if entries.${name} == "directory" then
            walk "${path}/"
          else if entries.${name} == "regular" then
            [
              {
                name = path;
                value = readFile (folder + "/${path}");
              }
            ]
          else
            [ ]
        ) (attrNames entries);
    in
    listToAttrs (walk "");

  template = description: files: {
    inherit description;
    path = import ./folder.nix {
      name = "project";
      inherit files;
    };
    welcomeText = ''
      Give the project its name, and run its CI:

      ```sh
      nix run .#gantry -- init --name NAME
      cargo xtask ci
      ```

      Without Rust on this machine, the last one is `nix run .#gantry -- ci`.
    '';
  };

  overlay = name: filesBelow (../. + "/${list.${name}.files}") [ ];
  project =
    leftOut: filesBelow ../. leftOut // overlay "default" // import ./flake-lock.nix { inherit self; };
in
{
  default = template list.default.description (project list.default.leave-out);
  minimal = template list.minimal.description (
    project (list.default.leave-out ++ list.minimal.leave-out) // overlay "minimal"
  );
}

# One output of a flake for a system, as data. `nix eval --apply` applies this to the flake's outputs.
system: name: outputs:
let
  checks = outputs.checks.${system} or { };
  all = outputs.packages.${system} or { } // checks;
  steps = builtins.filter (step: step ? member) (
    map (check: if builtins.isAttrs (check.step or null) then check.step else { }) (
      builtins.attrValues checks
    )
  );
in
{
  names = builtins.attrNames all;
  output =
    if all ? ${name} then
      {
        derivation = all.${name}.drvPath;
        path = all.${name}.outPath;
      }
    else
      null;
  members = builtins.listToAttrs (
    map (step: {
      name = step.member;
      value = step.directory;
    }) steps
  );
}

# Cargo's version requirements.
{ lib }:

let
  inherit (import ../workspace/semver.nix { inherit lib; }) satisfies;
  test = requirement: yes: no: {
    expr = {
      yes = map (satisfies requirement) yes;
      no = map (satisfies requirement) no;
    };
    expected = {
      yes = map (_: true) yes;
      no = map (_: false) no;
    };
  };
in
{
  "a bare version is a caret" = test "1.2" [ "1.2.0" "1.9.3" ] [ "1.1.9" "2.0.0" ];
  "a caret below one" = test "^0.2.3" [ "0.2.3" "0.2.9" ] [ "0.3.0" "0.2.2" ];
  "a caret of zeros" = test "0.0" [ "0.0.9" ] [ "0.1.0" ];
  "a tilde" = test "~1.2.3" [ "1.2.3" "1.2.9" ] [ "1.3.0" ];
  "exact" = test "=1.2.3" [ "1.2.3" "1.2.3+build" ] [ "1.2.4" ];
  "several" = test ">=1.2, <1.5" [ "1.2.0" "1.4.9" ] [ "1.5.0" "1.1.0" ];
  "wildcards" = test "1.*" [ "1.0.0" "1.9.0" ] [ "2.0.0" ];
  "any" = test "*" [ "0.1.0" "9.0.0" ] [ ];
  "greater than a series" = test ">1" [ "2.0.0" ] [ "1.5.0" ];
  "a pre-release" = test "1.0.0-rc.1" [ "1.0.0-rc.2" "1.0.0" ] [ "1.0.0-alpha" ];
}

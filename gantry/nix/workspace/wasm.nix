# wasm32-unknown-unknown: how its tests are run, and the pages that its modules are for.
{ lib, pkgs }:

{
  facts,
  lock,
  # member → the package of its native program
  programs,
  # member → its built module, in the release profile
  modules,
  # Where given, what has the programs wasm-bindgen and wasm-bindgen-test-runner.
  bindgen,
}:

let
  triple = "wasm32-unknown-unknown";

  version = (lib.findFirst (p: p.name == "wasm-bindgen") { version = null; } lock.packages).version;

  # wasm-bindgen's programs work with a crate of their own version alone. A member that depends on
  # wasm-bindgen-cli builds them at the lock file's; nixpkgs has some versions.
  builder = lib.findFirst (m: lib.any (d: d.package == "wasm-bindgen-cli") m.dependencies) null (
    lib.attrValues facts.members
  );
  packaged = "wasm-bindgen-cli_${lib.replaceStrings [ "." ] [ "_" ] version}";
  tools =
    if bindgen != null then
      bindgen
    else if builder != null then
      programs.${builder.name}
    else
      pkgs.${packaged}
        or (throw "wasm members need the programs of wasm-bindgen ${version}, which nixpkgs does not have. Add a member that depends on `wasm-bindgen-cli` ${version} and has the binaries wasm-bindgen and wasm-bindgen-test-runner, or name a package that has them: targets.${triple}.bindgen");

  page =
    name:
    let
      member = facts.members.${name};
      static = facts.root + "/${member.dir}/www";
    in
    pkgs.runCommand "${name}-${member.version}"
      {
        nativeBuildInputs = [
          pkgs.binaryen
          tools
        ];
        # What rustc's wasm32 target turns on since 1.87, and wasm-opt must be told.
        features = [
          "--enable-bulk-memory"
          "--enable-nontrapping-float-to-int"
        ];
      }
      ''
        mkdir $out
        ${lib.optionalString (builtins.pathExists static) "cp -r --no-preserve=mode ${static}/. $out"}
        wasm-bindgen --target web --out-dir $out ${modules.${name}}/lib/*.wasm
        for module in $out/*.wasm; do
          wasm-opt -Oz $features "$module" -o "$module"
        done
      ''
    // {
      inherit (member) version;
    };

  withPage = lib.filter (
    name: version != null && facts.members.${name}.isCdylib && modules ? ${name}
  ) (lib.attrNames facts.members);
in
{
  # What every layer for the target is built and tested with.
  target = {
    nativeBuildInputs = [ pkgs.lld ];
    env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER = "wasm-ld";
    # libtest cannot run there: tests are those of wasm-bindgen-test, under Node.js.
    testedWith = "wasm-bindgen-test";
    testInputs = [ pkgs.nodejs ] ++ lib.optional (version != null) tools;
    testEnv.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER = "wasm-bindgen-test-runner";
  };

  # The pages, under the names of their members' folders.
  pages = lib.listToAttrs (
    map (name: lib.nameValuePair (baseNameOf facts.members.${name}.dir) (page name)) withPage
  );

  # The same as checks, as `cargo xtask ci` calls them.
  checks = lib.listToAttrs (
    map (
      name:
      lib.nameValuePair "bindgen-${name}-${triple}" (
        page name
        // {
          step = {
            kind = "bindgen";
            member = name;
            directory = facts.members.${name}.dir;
            target = triple;
            profile = "release";
          };
        }
      )
    ) withPage
  );
}

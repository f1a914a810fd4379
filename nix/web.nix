# The page: the wasm crate with its JavaScript bindings, optimised, beside its static files.
{
  lib,
  runCommand,
  binaryen,
  workspace,
}:

let
  name = "gantry-web";
  target = "wasm32-unknown-unknown";
  member = workspace.facts.members.${name};

  page =
    runCommand "${name}-${member.version}"
      {
        nativeBuildInputs = [
          binaryen
          workspace.programs.dev.xtask-bindgen
        ];
        # What rustc's wasm32 target turns on since 1.87, and wasm-opt must be told. The backend cargo
        # tells it the same, and to optimise alike.
        features = [
          "--enable-bulk-memory"
          "--enable-nontrapping-float-to-int"
        ];
      }
      ''
        cp -r --no-preserve=mode ${../${member.dir}/www} $out
        xtask-bindgen build --target web --out-dir $out \
          ${workspace.layers.${target}.release.build.${name}}/lib/${
            lib.replaceStrings [ "-" ] [ "_" ] name
          }.wasm
        for module in $out/*.wasm; do
          wasm-opt -Oz $features "$module" -o "$module"
        done
      '';

  # What `cargo xtask ci` calls it.
  check = "bindgen-${name}-${target}";
in
# A workspace without the crate has no page.
lib.optionalAttrs (workspace.facts.members ? ${name}) {
  packages.web = page;
  checks.${check} = page;
}

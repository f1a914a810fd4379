import init, { inspect, verify } from "./gantry_web.js";

const EXAMPLE = `StorePath: /nix/store/w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10
URL: nar/15zk4zszw9lgkdkkwy7w11m5vag11n5dhv2i6hj308qpxczvdddx.nar.xz
Compression: xz
FileHash: sha256:15zk4zszw9lgkdkkwy7w11m5vag11n5dhv2i6hj308qpxczvdddx
FileSize: 41232
NarHash: sha256:1mi14cqk363wv368ffiiy01knardmnlyphi6h9xv6dkjz44hk30i
NarSize: 205968
References: 9df65igwjmf2wbw0gbrrgair6piqjgmi-glibc-2.31 w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10
Sig: cache.nixos.org-1:uP5KU8MCmyRnKGlN5oEv6xWJBI5EO/Pf5aFztZuLSz8BpCcZ1fdBnJkVXhBAlxkdm/CemsgQskhwvyd2yghTAg==
`;
const EXAMPLE_KEY = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";

const element = (id) => document.getElementById(id);

/** A new element with children; text stays text. */
function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function show(state, verdict, claims = [], facts = []) {
  element("verdict").dataset.state = state;
  element("verdict").textContent = verdict;
  element("claims").replaceChildren(...claims);
  element("facts").replaceChildren(...facts);
}

function claimsOf(report) {
  const claim = (verdict, text) => make("li", { "data-verdict": verdict }, make("span", {}, verdict), text);
  const claims = report.signatures.map(({ key, verdict }) => claim(verdict, `signature by ${key}`));
  if (report.contentAddress) {
    claims.push(claim(report.contentAddress, "content address"));
  }
  return claims;
}

function factsOf(inspection) {
  const bytes = (count) => (count === undefined ? [] : [`${count.toLocaleString()} bytes`]);
  const some = (value) => (value === undefined ? [] : [value]);
  const facts = {
    path: [inspection.path],
    contents: [inspection.narHash, ...bytes(inspection.narSize)],
    archive: [
      `${inspection.url} (${inspection.compression})`,
      ...some(inspection.downloadHash),
      ...bytes(inspection.downloadSize),
    ],
    deriver: some(inspection.deriver),
    references: inspection.references,
    "content address": some(inspection.ca),
  };
  return Object.entries(facts)
    .filter(([, values]) => values.length > 0)
    .flatMap(([name, values]) => [
      make("dt", {}, name),
      ...values.map((value) => make("dd", {}, value)),
    ]);
}

function audit() {
  const narinfo = element("narinfo").value;
  if (narinfo.trim() === "") {
    show("empty", "Paste a narinfo.");
    return;
  }
  const keys = element("keys").value.split(/\s+/).filter((key) => key !== "");
  try {
    const facts = factsOf(inspect(narinfo));
    const report = verify(narinfo, keys);
    const claims = claimsOf(report);
    if (claims.length === 0) {
      show("failed", "Not trusted: neither signed nor content-addressed", claims, facts);
    } else if (report.passed) {
      show("passed", "Trusted", claims, facts);
    } else {
      show("failed", "Not trusted", claims, facts);
    }
  } catch (error) {
    show("failed", error.message);
  }
}

await init();
element("narinfo").value ||= EXAMPLE;
element("keys").value ||= EXAMPLE_KEY;
document.querySelector("form").addEventListener("input", audit);
audit();

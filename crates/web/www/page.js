import init, { compare } from "./acme_web.js";

const module = init();
const [list, files] = document.querySelectorAll("input");
const status = document.querySelector("[role=status]");

// A file that is dropped beside the inputs would take the page's place.
for (const type of ["dragover", "drop"]) {
  addEventListener(type, (event) => event.target.type === "file" || event.preventDefault());
}

addEventListener("change", async () => {
  if (list.files.length === 0) return;
  // An earlier comparison ends when its results leave the page.
  const results = document.createElement("ul");
  document.querySelector("ul").replaceWith(results);
  status.textContent = "Hashing…";
  const error = await module.then(() => compare(list.files[0], [...files.files], results)).catch(String);
  if (!results.isConnected) return;
  const matching = results.querySelectorAll(".matches").length;
  status.textContent = error ?? `${matching} of ${results.children.length} files match.`;
});

// What the reader takes along: the report, its cells, the command that repeats the run.
import { byId, element } from "./dom.js";

/** Shows the buttons that need a script, and makes them work. */
export function offerToKeep() {
  offerFile("download", "report.json", "application/json", () =>
    JSON.stringify(JSON.parse(byId("report").textContent ?? ""), null, 2),
  );
  offerFile("download-csv", "report.csv", "text/csv", () => JSON.parse(byId("csv").textContent ?? '""'));
  const copy = document.getElementById("copy");
  if (copy === null) return;
  copy.hidden = false;
  copy.addEventListener("click", () => {
    getSelection()?.selectAllChildren(byId("command"));
    // The clipboard of `navigator` is missing where a browser does not trust a page from a file.
    const isCopied = document.execCommand("copy");
    byId("copied").textContent = isCopied ? "Copied." : "Selected; copy it with Ctrl+C or ⌘C.";
  });
}

/** @param {string} id @param {string} name @param {string} type @param {() => string} textOf */
function offerFile(id, name, type, textOf) {
  const button = byId(id);
  button.hidden = false;
  button.addEventListener("click", () => {
    const link = element("a", { href: URL.createObjectURL(new Blob([textOf()], { type })), download: name });
    link.click();
    // Revoked later, since the browser reads it after this handler.
    setTimeout(() => URL.revokeObjectURL(link.getAttribute("href") ?? ""), 10_000);
  });
}

import { basename } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Returns the place in the user's code at which the import of a module failed, such as ` (my.mts:7)`. It is empty if
 * the stack has none. Node keeps the place of a syntax error in plain JavaScript out of the stack.
 */
export function placeOf(error: unknown, module: string): string {
  if (!(error instanceof Error)) return "";
  const [head = "", ...frames] = (error.stack ?? "").split("\n");
  const url = pathToFileURL(module).href;
  const place = /^(?:file:|\/|[A-Z]:\\).*:\d+$/.test(head) ? head : frames.find((frame) => frame.includes(url));
  const [, file, line] = /([^/\\]+?):(\d+)(?::\d+)?\)?$/.exec(place ?? "") ?? [];
  if (file !== undefined) return ` (${file}:${line})`;
  return error instanceof SyntaxError ? `; run node ${basename(module)} to see where` : "";
}

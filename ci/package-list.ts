/** Computes the files of the published package from its configuration, without a build; see `tidy.test.ts`. */
import { matchesGlob, posix } from "node:path";
import type { Imports } from "./tidy-rules.ts";

const PACKAGE = /^(?!(transports|scenarios|harness|reports|ci)\/)@?[a-z][\w./-]*$/;

/** Scope of the build: `include` and `exclude` of its tsconfig. */
export interface BuildScope {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Returns sources that the compiler takes: those in scope, and all that they import, in scope or not. */
export function compiledSources(imports: Imports, { include, exclude }: BuildScope): string[] {
  const excluded = exclude.flatMap((pattern) => [pattern, `${pattern}/**`]);
  const inScope = (path: string): boolean =>
    include.some((folder) => path.startsWith(`${folder}/`)) && !excluded.some((pattern) => matchesGlob(path, pattern));
  const compiled = new Set<string>();
  const queue = [...imports.keys()].filter(inScope);
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (compiled.has(path)) continue;
    compiled.add(path);
    queue.push(...(imports.get(path) ?? []).filter((name) => imports.has(name)));
  }
  return [...compiled].sort();
}

/** Returns, as sentences, packages that shipped sources import and an installed package would not find. */
export function missingPackages(imports: Imports, sources: readonly string[], installed: readonly string[]): string[] {
  const isInstalled = (name: string): boolean => installed.some((own) => name === own || name.startsWith(`${own}/`));
  return sources.flatMap((path) =>
    (imports.get(path) ?? [])
      .filter((name) => PACKAGE.test(name) && !isInstalled(name))
      .map((name) => `${path} imports ${name}`),
  );
}

/** Returns, as sentences, links of shipped documents to files that are not in the package. */
export function deadLinks(documents: ReadonlyMap<string, string>, others: readonly string[] = []): string[] {
  const shipped = [...documents.keys(), ...others];
  const isShipped = (target: string): boolean =>
    shipped.some((path) => path === target || path.startsWith(`${target.replace(/\/$/, "")}/`));
  return [...documents].flatMap(([document, text]) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !isShipped(posix.join(posix.dirname(document), target)))
      .map((target) => `${document} -> ${target}`),
  );
}

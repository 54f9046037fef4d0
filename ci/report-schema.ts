import { SCHEMA_VERSION } from "../harness/results/model.ts";
import { REPORT } from "../harness/results/report-shape.ts";

/** Returns the schema of reports as plain JSON Schema (draft 7): without the two keywords of our own validator. */
export function publishedSchema(): Readonly<Record<string, unknown>> {
  const { properties, ...rest } = plain(REPORT) as { readonly properties: object };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: `report.json of ipcmark, schema version ${SCHEMA_VERSION}`,
    ...rest,
    properties: { ...properties, schemaVersion: { const: SCHEMA_VERSION } },
  };
}

/** Removes our keywords. A report's field named `histogram` has an object here; the keyword has true. */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== "object" || schema === null) return schema;
  const kept = Object.entries(schema).filter(
    ([keyword, value]) =>
      !(keyword === "histogram" && value === true) && !(keyword === "ascending" && Array.isArray(value)),
  );
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, plain(value)]));
}

import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { fullReport } from "../reports/testing/fixture-machine.ts";
import { publishedSchema } from "./report-schema.ts";

test("a plain validator takes a report by the published schema, and refuses one that is wrong deep inside", () => {
  const validate = new Ajv({ strictTypes: false }).compile(JSON.parse(JSON.stringify(publishedSchema())));
  const report = JSON.parse(JSON.stringify(fullReport({ trials: 2, payloads: [64] })));
  expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
  report.measurements[0].trials[0].round = "first";
  expect(validate(report)).toBe(false);
  report.measurements[0].trials[0].round = 1;
  expect(validate({ ...report, schemaVersion: 1 })).toBe(false);
});

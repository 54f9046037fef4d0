import { Ajv, type JSONSchemaType, type ValidateFunction } from "ajv";

/** The parts of a report that every reader relies on. Fields may be added without a new version, so others are let through. */
const OBJECTS = { type: "array", items: { type: "object" } } as const;
const SCHEMA = {
  type: "object",
  required: [
    "schemaVersion",
    "startedAt",
    "commandLine",
    "environment",
    "transports",
    "checks",
    "measurements",
    "limits",
    "pick",
  ],
  properties: {
    schemaVersion: { type: "integer", minimum: 1 },
    startedAt: { type: "string" },
    commandLine: { type: "string" },
    environment: { type: "object", required: ["node", "ffi"] },
    transports: {
      type: "array",
      items: {
        type: "object",
        required: ["id", "capabilities", "available"],
        properties: { id: { type: "string" }, available: { type: "boolean" } },
      },
    },
    checks: {
      type: "array",
      items: {
        type: "object",
        required: ["scenario", "transport", "status"],
        properties: { status: { enum: ["passed", "failed", "not-applicable", "unavailable"] } },
      },
    },
    measurements: {
      type: "array",
      items: {
        type: "object",
        required: ["benchmark", "transport", "mode", "placement", "payloadBytes", "status", "trials", "interval"],
        properties: {
          status: { enum: ["measured", "failed", "not-applicable"] },
          mode: { enum: ["event", "blocking", "polling"] },
          placement: { enum: ["same-cpu", "two-cpus", "unpinned"] },
          payloadBytes: { type: "number", minimum: 0 },
          trials: OBJECTS,
        },
      },
    },
    limits: OBJECTS,
    pick: { type: ["object", "null"] },
  },
};

let validate: ValidateFunction | undefined;

/** The first thing that keeps this value from being a report, in words; undefined when it is one. */
export function firstDefect(value: unknown): string | undefined {
  validate ??= new Ajv({ allErrors: false, strict: false }).compile(SCHEMA as unknown as JSONSchemaType<object>);
  if (validate(value)) return undefined;
  const error = validate.errors?.[0];
  return `${error?.instancePath === "" ? "it" : error?.instancePath} ${error?.message}`;
}

import type { Placement, Row } from "./model.ts";

/** Words in which `report-shape.ts` describes a report: the parts of JSON Schema that it uses, each with its bounds. */

export type Schema = Readonly<Record<string, unknown>>;
export type Fields = Readonly<Record<string, Schema>>;

/** Bound of every time, ns: a round trip of a day is no measurement. */
export const DAY_NS = 86_400e9;
export const YEAR_MS = 366 * 86_400e3;
export const MOST = Number.MAX_SAFE_INTEGER;
/** Largest text: a sentence, a stack trace. */
export const TEXT_BYTES = 64 * 1024;
export const HISTOGRAM_BYTES = 1024 * 1024;

export const text: Schema = { type: "string", maxLength: TEXT_BYTES };
export const name: Schema = { type: "string", minLength: 1, maxLength: 1000 };
export const flag: Schema = { type: "boolean" };
export const histogram: Schema = { type: "string", maxLength: HISTOGRAM_BYTES, histogram: true };
export const number = (minimum: number, maximum: number): Schema => ({ type: "number", minimum, maximum });
export const above0 = (maximum: number): Schema => ({ type: "number", exclusiveMinimum: 0, maximum });
export const integer = (minimum = 0, maximum = MOST): Schema => ({ type: "integer", minimum, maximum });
export const oneOf = (...values: readonly unknown[]): Schema => ({ enum: values });
export const list = (items: Schema, maxItems = 10_000): Schema => ({ type: "array", items, maxItems });
export const record = (values: Schema): Schema => ({
  type: "object",
  maxProperties: 1000,
  additionalProperties: values,
});
export const orNull = (schema: Schema): Schema =>
  "type" in schema ? { ...schema, type: [schema["type"], "null"].flat() } : { enum: [...(schema["enum"] as []), null] };
export const object = (required: Fields, optional: Fields = {}): Schema => ({
  type: "object",
  required: Object.keys(required),
  properties: { ...required, ...optional },
});
/** Describes an object with every field of a type: a field added to the model only is a compile error. */
export const model =
  <Type extends object>() =>
  <Required extends { readonly [Name in keyof Type]?: Schema }>(
    required: Required,
    optional: { readonly [Name in Exclude<keyof Type, keyof Required>]-?: Schema },
  ): Schema =>
    object(required as Fields, optional as Fields);
/** Describes a union with all its members, by the same rule. */
export const anyOf = <Value extends string>(values: Readonly<Record<Value, true>>): Schema =>
  oneOf(...Object.keys(values));

/** Describes fields that depend on the value of another. */
export const when = (field: string, value: unknown, met: Schema, otherwise: Schema): Schema => ({
  if: { properties: { [field]: { const: value } } },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: met,
  else: otherwise,
});

/** Latency, which is above zero: zero means a clock that stood still. */
export const latency: Schema = above0(DAY_NS);
export const time: Schema = number(0, DAY_NS);
export const signedTime: Schema = number(-DAY_NS, DAY_NS);
export const times: Schema = above0(1e12);
export const perMessage: Schema = number(0, 1e12);
export const rate: Schema = number(0, MOST);
export const share: Schema = number(0, 1);
export const intervalOf = (bound: Schema): Schema => ({
  type: "array",
  items: bound,
  minItems: 2,
  maxItems: 2,
  ascending: ["0", "1"],
});
export const interval: Schema = intervalOf(above0(MOST));
export const mode: Schema = anyOf<Row["mode"]>({ event: true, blocking: true, polling: true });
export const placement: Schema = anyOf<Placement>({ "same-cpu": true, "two-cpus": true, unpinned: true });
export const byPlacement = (values: Schema): Schema => ({
  type: "object",
  properties: { "same-cpu": values, "two-cpus": values, unpinned: values },
  additionalProperties: false,
});

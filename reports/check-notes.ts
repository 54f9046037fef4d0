import { bytes, duration } from "../harness/results/format.ts";

/** Formats what a check counted: `noticedAfterMs`, 38 becomes `noticed after 38.0 ms`. Names end in their unit. */
export function noteText(name: string, value: unknown): string {
  const words = name.replace(/(Ms|Bytes|Percent)$/, "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words} ${valueText(name, value)}`;
}

function valueText(name: string, value: unknown): string {
  if (typeof value !== "number") return String(value);
  if (name.endsWith("Ms")) return duration(value * 1e6);
  if (/bytes$/i.test(name)) return bytes(value);
  return name.endsWith("Percent") ? `${value} %` : String(value);
}

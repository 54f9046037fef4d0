/** Tables for the terminal: pure functions from parts of a report to text. */

export { againstText } from "./against.ts";
export { answer } from "./answer.ts";
export { checkTables } from "./checks.ts";
export { claimsText } from "./claims.ts";
export { codecTables } from "./codecs.ts";
export { compareTables } from "./compare.ts";
export { type ListEntry, listTable, wrappedTable } from "./list.ts";
export { pairsTables } from "./pairs.ts";
export { partialNote, pickParagraph } from "./pick.ts";
export { recordedTables } from "./recorded.ts";
export type { TerminalOptions } from "./table.ts";
export { warningLines } from "./warnings.ts";

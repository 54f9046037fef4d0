import { expect, test } from "vitest";
import { StoreError } from "../results/store.ts";
import { parseRecord, renewedText } from "./record.ts";

const HASH = "0123456789abcdef".repeat(4);
const LINES = [
  "# Use unix",
  "",
  'Chosen option: "unix", because it is "fast".',
  "",
  "## More Information",
  "",
  `* Evidence: [0004-ipc.01234567.evidence.json](0004-ipc.01234567.evidence.json), SHA-256 \`${HASH}\``,
  "* Fingerprint: `aaaaaaaaaaaaaaaa` (old machine)",
  "* Decided in the meeting of May.",
];
const RECORD = LINES.join("\n");
const NAME = "0004-ipc.01234567.evidence.json";

test.for([
  ["as it was written", RECORD],
  ["with Windows line ends", RECORD.replaceAll("\n", "\r\n")],
  [
    "with other bullets, emphasis and headings",
    RECORD.replaceAll("* ", "- ").replace("Chosen option", "**Chosen option**"),
  ],
  ["with a wrapped line", RECORD.replace("), SHA-256 `", "),\n  SHA-256\n  `")],
  ["with the evidence first", [LINES[6], ...LINES.slice(0, 6)].join("\n")],
  ["with other quotation marks", RECORD.replace('"unix"', "`unix`")],
  ["with a bare name", RECORD.replace('"unix"', "unix")],
  ["with a link in angle brackets and a title", RECORD.replace(`](${NAME})`, `](<${NAME}> "the run")`)],
  ["with the name in bold", RECORD.replace(/Chosen option: "unix".*/, "**Chosen option:** **unix**, in May")],
  ["with the name as a link", RECORD.replace('"unix"', "[unix](https://example.org/unix)")],
  ["with the name as code in a link", RECORD.replace('"unix"', "[`unix`](#unix)")],
  ["with the name at the end of a sentence", RECORD.replace(/"unix".*/, "unix.")],
  ["with the name in the next line", RECORD.replace(': "unix"', ':\n  "unix"')],
  ["with a comment of people behind the name", RECORD.replace('"unix",', '"unix" ("fastest" in May),')],
  ["in a quotation", RECORD.replace("Chosen", "> Chosen")],
  ["in a table", RECORD.replace(/Chosen.*/, '| Chosen option: "unix" | May |')],
  ["with the decision twice", RECORD.replace("## More", 'Chosen option: "unix", again\n\n## More')],
  ["with other words around the link", RECORD.replace("* Evidence: [", "The figures of the run are in [the file ")],
  ["with the hash in the next paragraph's bullet", RECORD.replace(", SHA-256", "\n  * SHA-256:")],
  ["with the hash in capitals", RECORD.replace(HASH, HASH.toUpperCase())],
] as const)("a record is read %s", ([, text]) => {
  expect(parseRecord(text, "a.md")).toMatchObject({ chosen: "unix", evidence: { name: NAME, sha256: HASH } });
});

test("a line of many blanks is read in no time", () => {
  const started = performance.now();
  expect(parseRecord(`](${" ".repeat(50_000)}\n${RECORD}`, "a.md").chosen).toBe("unix");
  // The time must not grow with the square of their number.
  expect(performance.now() - started).toBeLessThan(1000);
});

test("a link is decoded, and may lead elsewhere", () => {
  const text = RECORD.replace(`](${NAME})`, "](../my%20runs/a.evidence.json)");
  expect(parseRecord(text, "a.md").evidence.name).toBe("../my runs/a.evidence.json");
});

test.for([
  ["without a decision", RECORD.replace("Chosen option", "Option"), /^a\.md: none of its 9 lines has the decision/],
  ["without a name", RECORD.replace(/"unix".*/, ""), /^a\.md:3: no option after "Chosen option:"/],
  ["without a name in the next line", RECORD.replace(/"unix".*/, "\n"), /^a\.md:3: no option after/],
  [
    "with two decisions",
    RECORD.replace("## More", "Chosen option: tcp\n\n## More"),
    /^a\.md:5: "tcp" is chosen here, and "unix" in line 3; keep one$/,
  ],
  ["without a link", RECORD.replaceAll("evidence.json", "yaml"), /^a\.md: none of its 9 lines has a link/],
  ["without a hash", RECORD.replace(/, SHA.*/, ""), /^a\.md:7: no SHA-256 after the link/],
  ["with a cut hash", RECORD.replace(HASH, HASH.slice(4)), /^a\.md:7: the SHA-256 "456789abcdef…" has 60 characters/],
  ["with a hash of other digits", RECORD.replace(HASH, `z${HASH.slice(1)}`), /^a\.md:7: .* 64 hexadecimal digits$/],
  [
    "with a broken link",
    RECORD.replace(`](${NAME}`, "](%zz.evidence.json"),
    /^a\.md:7: the link "%zz.*" cannot be decoded/,
  ],
] as const)("a record %s is named with its line", ([, text, message]) => {
  expect(() => parseRecord(text, "a.md")).toThrow(StoreError);
  expect(() => parseRecord(text, "a.md")).toThrow(message);
});

test("other evidence changes only its name, hash, fingerprint and machine", () => {
  const file = { name: "0004-ipc.fedcba98.evidence.json", text: "", sha256: "f".repeat(64) };
  const renewal = {
    file,
    fingerprints: { before: "aaaaaaaaaaaaaaaa", now: "bbbbbbbbbbbbbbbb" },
    machines: { before: "old machine", now: "new machine" },
    sentence: "Conditions accepted",
  };
  const text = renewedText(parseRecord(RECORD, "a.md"), renewal);
  expect(text.split("\n")).toEqual([
    ...LINES.slice(0, 6),
    `* Evidence: [${file.name}](${file.name}), SHA-256 \`${file.sha256}\``,
    `* Conditions accepted. Evidence before: \`${NAME}\``,
    "* Fingerprint: `bbbbbbbbbbbbbbbb` (new machine)",
    LINES[8],
  ]);
  expect(parseRecord(text, "a.md").evidence).toEqual({ name: file.name, sha256: file.sha256 });
  const again = renewedText(parseRecord(text, "a.md"), { ...renewal, file: { ...file, sha256: HASH } });
  expect(parseRecord(again, "a.md").evidence.sha256).toBe(HASH);
});

test("a dollar sign in a name stays one", () => {
  const renewed = renewedText(parseRecord(RECORD, "a.md"), {
    file: { name: "cost-$$.evidence.json", sha256: "f".repeat(64), text: "" },
    fingerprints: { before: "aaaaaaaaaaaaaaaa", now: "bbbbbbbbbbbbbbbb" },
    machines: { before: "old machine", now: "new machine" },
    sentence: "Accepted",
  });
  expect(parseRecord(renewed, "a.md").evidence.name).toBe("cost-$$.evidence.json");
});

/** Journal of the addresses that a run uses, so that a later run can sweep the remains of a killed one. */
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Address, Place, Transport } from "../../transports/contract/transport.ts";
import type { TransportReference } from "./messages.ts";
import { flag, optional, orNull, recordOf, shape, text } from "./rules.ts";

const JOURNAL_FILE = "journal";
const journalLine = shape<JournalLine>({
  transport: shape<TransportReference>({ id: text, module: orNull(text), isRegistry: optional(flag) }),
  address: shape<Address>({ transport: text, name: text, options: optional(recordOf(() => undefined)) }),
});

/** Line of the journal: an address that the run was about to use. */
export interface JournalLine {
  readonly transport: TransportReference;
  readonly address: Address;
}

/**
 * Allocates a new address and writes it to the journal before its first use, so that a later run can sweep it.
 *
 * @param within place inside the place of the run, to keep these files apart from others
 */
export async function allocate(
  transport: Transport,
  reference: TransportReference,
  place: Place,
  within: Place = place,
): Promise<Address> {
  const address = await transport.allocate(within);
  const line: JournalLine = { transport: reference, address };
  appendFileSync(join(place.directory, JOURNAL_FILE), `${JSON.stringify(line)}\n`, { mode: 0o600 });
  return address;
}

/** Reads the addresses that a run allocated; skips addresses that do not contain its prefix. */
export function readJournal({ directory, prefix }: Place): JournalLine[] {
  let text: string;
  try {
    text = readFileSync(join(directory, JOURNAL_FILE), "utf8");
  } catch {
    return [];
  }
  const lines: JournalLine[] = [];
  for (const line of text.split("\n")) {
    try {
      const entry: unknown = JSON.parse(line);
      if (journalLine(entry, "") !== undefined) continue;
      const found = entry as JournalLine;
      // The journal is a file that may have been changed, so only addresses with the run's random prefix are swept.
      if (JSON.stringify(found.address).includes(prefix)) lines.push(found);
    } catch {
      // The last line may be half written.
    }
  }
  return lines;
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadReport } from "../../results/load-report.ts";
import { store } from "../../results/store.ts";
import { type Evidence, KINDS, type Kind, type Run } from "./evidence.ts";

const INDEX = "runs.json";

interface KeptRun {
  readonly kind: Kind;
  readonly file: string;
  readonly wallMs: number;
}

/** Directory with the reports of one or several calls of the bench, and an index of their kinds. */
export class Reports {
  readonly #directory: string;
  readonly #runs: KeptRun[];
  #pairMs: number | null;

  /** @throws Error when the index is invalid, or a report without an index cannot be read */
  constructor(directory: string) {
    this.#directory = directory;
    const { runs, pairMs = null } = readIndex(join(directory, INDEX)) ?? { runs: plainRunsIn(directory) };
    this.#runs = [...runs];
    this.#pairMs = pairMs;
  }

  /** Adds a report to those of earlier calls. */
  add(kind: Kind, { report, wallMs }: Run): void {
    const number = this.#runs.filter((run) => run.kind === kind).length + 1;
    const file = `${kind}-${String(number).padStart(2, "0")}.json`;
    store(this.#directory, file, JSON.stringify(report));
    this.#runs.push({ kind, file, wallMs });
    this.#save();
  }

  setPair(pairMs: number): void {
    this.#pairMs = pairMs;
    this.#save();
  }

  /** Loads all reports. @throws StoreError when one of them cannot be read */
  read(): Evidence {
    const [plain = [], reference = [], busy = [], slow = []] = KINDS.map((kind) =>
      this.#runs
        .filter((run) => run.kind === kind)
        .map(({ file, wallMs }): Run => ({ report: loadReport(join(this.#directory, file)), wallMs })),
    );
    return { plain, reference, busy, slow, pairMs: this.#pairMs };
  }

  #save(): void {
    store(this.#directory, INDEX, `${JSON.stringify({ runs: this.#runs, pairMs: this.#pairMs }, null, 1)}\n`);
  }
}

function readIndex(path: string): { readonly runs: readonly KeptRun[]; readonly pairMs?: number | null } | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const found = JSON.parse(readFileSync(path, "utf8"));
    if (Array.isArray(found.runs)) return found;
  } catch {
    // Reported below.
  }
  throw new Error(`"${path}" is no index of this bench; name a directory that --keep wrote`);
}

/** Reads reports without an index: each is one of a plain `compare`, with its own time as that of its process. */
function plainRunsIn(directory: string): KeptRun[] {
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory).filter((name) => name.endsWith(".json"));
  return files.map((file) => ({ kind: "plain", file, wallMs: loadReport(join(directory, file)).durationMs }));
}

import { StoreError } from "../results/store.ts";

/** Limits of an archive, since its origin may be unknown. */
export interface Limits {
  readonly files: number;
  /** Largest size of the unpacked archive, bytes. */
  readonly bytes: number;
}

/** A report of at most 64 MiB is read, and its trials are stored once more. Reading takes four times the size. */
export const LIMITS: Limits = { files: 32, bytes: 160 * 1024 ** 2 };

/** Only folder of an archive. */
const FOLDER = "ipcmark-bundle/";
const NAME = /^[A-Za-z][\w-]*(\.[a-z\d]+)*$/;
const BLOCK = 512;

/** Packs files, given by name, as a .tgz. The same files give the same bytes. */
export async function packed(files: ReadonlyMap<string, string>): Promise<Buffer> {
  const [{ gzipSync }, { Header }] = await Promise.all([import("node:zlib"), import("tar")]);
  const blocks = [...files].flatMap(([name, text]) => {
    const content = Buffer.from(text);
    const head = Buffer.alloc(BLOCK);
    const fields = { mode: 0o644, size: content.length, type: "File", mtime: new Date(0) } as const;
    new Header({ path: FOLDER + name, ...fields }).encode(head);
    return [head, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}

/**
 * Returns the files of an archive, by name. Writes nothing: everything stays in memory.
 *
 * @param path path of the archive, for messages
 * @throws StoreError if it is damaged or too large, or has anything but regular files in its only folder
 */
export async function unpacked(archive: Buffer, path: string, limits: Limits = LIMITS): Promise<Map<string, string>> {
  const [{ gunzipSync }, { Parser }] = await Promise.all([import("node:zlib"), import("tar")]);
  const refused = (reason: string): StoreError =>
    new StoreError(`"${path}" is no bundle of ipcmark: ${reason}; name a bundle.tgz that bundle has written`);
  let plain: Buffer;
  try {
    plain = gunzipSync(archive, { maxOutputLength: limits.bytes });
  } catch (error) {
    const isLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw refused(isLarge ? `it unpacks to more than ${limits.bytes} bytes` : `its gzip data is damaged`);
  }
  const files = new Map<string, string>();
  let defect: string | undefined;
  await new Promise<void>((resolve) => {
    const end = (reason?: string): void => {
      defect ??= reason;
      resolve();
    };
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry) => {
        defect ??= defectOf(entry, files, limits);
        if (defect !== undefined) return entry.resume();
        const parts: Buffer[] = [];
        files.set(entry.path.slice(FOLDER.length), "");
        entry.on("data", (part) => parts.push(part));
        entry.on("end", () => files.set(entry.path.slice(FOLDER.length), Buffer.concat(parts).toString()));
      },
    });
    parser.on("ignoredEntry", ({ path: name, type }) => end(`"${name}" in it is a ${type}`));
    parser.on("error", ({ message }) => end(`its tar data is damaged (${message})`));
    parser.on("end", () => end());
    parser.end(plain);
  });
  if (defect !== undefined) throw refused(defect);
  return files;
}

function defectOf(
  { path, type }: { readonly path: string; readonly type: string },
  files: ReadonlyMap<string, string>,
  limits: Limits,
): string | undefined {
  if (type !== "File") return `"${path}" in it is a ${type}, and only regular files are read`;
  if (/^([\\/]|[A-Za-z]:)/.test(path)) return `"${path}" in it is an absolute path`;
  if (path.split(/[\\/]/).includes("..")) return `"${path}" in it leads out of its folder`;
  const name = path.slice(FOLDER.length);
  if (!path.startsWith(FOLDER) || !NAME.test(name)) return `"${path}" in it is no file of a bundle`;
  if (files.has(name)) return `"${path}" is in it twice`;
  return files.size >= limits.files ? `it has more than ${limits.files} files` : undefined;
}

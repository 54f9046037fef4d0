/** Transports checked under Wine: one mechanism of every kind that exists on Windows. */
export const TRANSPORTS: readonly string[] = [
  "named-pipe",
  "tcp",
  "stdio",
  "file-drop/watch",
  "channel/json",
  "python-connection/tcp",
  "shm/semaphore",
  "mmap/semaphore",
];

/** Check that proves nothing here, with the reason. `transport` absent: for all of them. */
interface NotProvable {
  readonly check: string;
  readonly transport?: string;
  readonly reason: string;
}

const SECOND_LISTENER =
  "Wine 8 ignores FILE_FLAG_FIRST_PIPE_INSTANCE, so a second server may listen; Windows refuses it";

const OPEN_FOLDER =
  "Wine 8 keeps the name of a removed folder while its client watches it; " +
  "Windows 10 removes it at once (POSIX delete, which libuv asks for)";

export const NOT_PROVABLE: readonly NotProvable[] = [
  { check: "cleanup/sigkill", transport: "file-drop/watch", reason: OPEN_FOLDER },
  ...[
    "conformance/failure/address-in-use",
    "conformance/failure/one-winner",
    "conformance/residue/refused-listen",
    "restart/live-server",
  ].map((check) => ({ check, transport: "named-pipe", reason: SECOND_LISTENER })),
];

export function whyNotProvable(check: string, transport: string): string | undefined {
  const found = NOT_PROVABLE.find((one) => one.check === check && (one.transport ?? transport) === transport);
  return found?.reason;
}

import { mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { Connection, ConnectionHandler } from "../contract/transport.ts";
import { randomUUID } from "../support/crypto.ts";
import { FileConnection, type Side } from "./connection.ts";
import { listNames, makeFolders, removeMailbox } from "./files.ts";
import { type Layout, type MailName, parseResponseName, requestName } from "./names.ts";
import { hasLivingOwner, removeUnusedFolders } from "./owner.ts";
import type { Settings } from "./settings.ts";
import { type Wake, watchFolder } from "./wake.ts";

/**
 * Makes a mailbox, by which the server finds the client. Updates its time stamp regularly, to show that the client
 * lives.
 */
export function connectFiles(layout: Layout, settings: Settings, handler: ConnectionHandler): Connection {
  const client = randomUUID();
  const mailbox = join(layout.responses, client);
  let wake: Wake | undefined;
  let heart: NodeJS.Timeout | undefined;
  const tidy = (): void => {
    wake?.close();
    clearInterval(heart);
    removeMailbox(mailbox);
    removeUnusedFolders(layout);
  };
  const list = (): readonly MailName[] => listMailbox(mailbox);
  const side: Side = {
    list,
    mailbox,
    pathOf: (name) => join(mailbox, name.file),
    target: (serial) => join(layout.requests, requestName(client, serial, settings.raw)),
    readerLives: () => hasLivingOwner(layout),
    ended: tidy,
  };
  const connection = new FileConnection({ settings, layout, handler, client, side });
  try {
    makeFolders(layout);
    mkdirSync(mailbox, { mode: 0o700 });
    wake = watchFolder(mailbox, settings, (file) => {
      const name = file === undefined ? undefined : parseResponseName(file);
      if (name === undefined || !connection.isPast(name)) connection.look(list());
    });
  } catch (error) {
    tidy();
    throw error;
  }
  heart = setInterval(() => touch(mailbox), settings.ttlMs / 4);
  heart.unref();
  handler.onOpen(connection);
  return connection;
}

function listMailbox(mailbox: string): readonly MailName[] {
  return listNames(mailbox).flatMap((file) => parseResponseName(file) ?? []);
}

function touch(mailbox: string): void {
  try {
    const now = new Date();
    utimesSync(mailbox, now, now);
  } catch {
    // The mailbox is gone: the next look at it ends the connection.
  }
}

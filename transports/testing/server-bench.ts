import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Address, Place, Transport } from "../contract/transport.ts";

/** Location of a transport under test. */
export interface Subject {
  readonly modulePath: string;
  readonly exportName: string;
  readonly transport: Transport;
}

/** Makes addresses, starts servers at them in own processes, and checks at the end that they left nothing behind. */
export class ServerBench {
  readonly #subject: Subject;
  readonly #script: string;
  readonly #place: Place;
  readonly #children: ChildProcess[] = [];
  readonly #addresses: Address[] = [];

  /** @param script file of this folder that prints a line when it listens; its arguments are module, export, address */
  constructor(subject: Subject, script: string) {
    this.#subject = subject;
    this.#script = join(import.meta.dirname, script);
    const directory = mkdtempSync(join(tmpdir(), "ipcmark-"));
    this.#place = { directory, prefix: `ipcmark-${randomBytes(8).toString("hex")}` };
  }

  async fresh(): Promise<Address> {
    const address = await this.#subject.transport.allocate(this.#place);
    this.#addresses.push(address);
    return address;
  }

  async serve(address: Address): Promise<ChildProcess> {
    const { modulePath, exportName } = this.#subject;
    return this.start(this.#script, modulePath, exportName, JSON.stringify(address));
  }

  /** Starts another Node process; resolves when it has written its first line. */
  async start(...args: string[]): Promise<ChildProcess> {
    const child = spawn(process.execPath, [...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#children.push(child);
    const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`a process ended early with ${code}`)));
    ended.catch(() => undefined);
    await Promise.race([once(child.stdout as NodeJS.EventEmitter, "data"), ended]);
    return child;
  }

  /** Cleans up after each test. */
  async clear(): Promise<void> {
    for (const child of this.#children.splice(0)) await kill(child);
    for (const address of this.#addresses.splice(0)) {
      await this.#subject.transport.sweep(address);
      expect(await this.#subject.transport.residue(address)).toEqual([]);
    }
  }

  /** Cleans up after all tests. */
  end(): void {
    rmSync(this.#place.directory, { recursive: true, force: true });
  }
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

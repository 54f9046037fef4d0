import { Deadline } from "../../transports/support/deadline.ts";

/** Message of a control channel, with a kind. */
export interface Typed {
  readonly type: string;
}

/** Reason why a wait ended without a message. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  /** True if the time ran out; false if the channel has ended. */
  readonly late: boolean;

  constructor(message: string, late: boolean, cause?: Error) {
    super(message, { cause });
    this.late = late;
  }
}

interface Waiter<Message extends Typed> {
  readonly types: readonly string[];
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: Deadline;
}

/** Messages of one control channel. A wait for a type takes the first message of this type. */
export class Mailbox<Message extends Typed> {
  readonly #queue: Message[] = [];
  readonly #waiters: Waiter<Message>[] = [];
  #ended: (() => string) | undefined;
  #cause: Error | undefined;

  /** Adds a message; after the end it is dropped. */
  put(message: Message): void {
    if (this.#ended !== undefined) return;
    const index = this.#waiters.findIndex((waiter) => waiter.types.includes(message.type));
    const waiter = index < 0 ? undefined : this.#waiters.splice(index, 1)[0];
    if (waiter === undefined) {
      this.#queue.push(message);
      return;
    }
    waiter.deadline.clear();
    waiter.resolve(message);
  }

  /** Returns the first message of this type without taking it. */
  peek<Type extends Message["type"]>(type: Type): Extract<Message, { type: Type }> | undefined {
    return this.#queue.find((message): message is Extract<Message, { type: Type }> => message.type === type);
  }

  /** Ends the channel: all waits, present and later ones, fail with a ControlError that has this reason. */
  end(reason: () => string, cause?: Error): void {
    this.#cause ??= cause;
    this.#ended ??= reason;
    for (const waiter of this.#waiters.splice(0)) {
      waiter.deadline.clear();
      waiter.reject(new ControlError(this.#ended(), false, this.#cause));
    }
  }

  /** Waits for a message of these types. @throws ControlError after `timeoutMs`, or when the channel ended first. */
  next<Type extends Message["type"]>(
    types: readonly Type[],
    timeoutMs: number,
    what: string,
  ): Promise<Extract<Message, { type: Type }>> {
    type Wanted = Extract<Message, { type: Type }>;
    const index = this.#queue.findIndex((message) => (types as readonly string[]).includes(message.type));
    const ready = index < 0 ? undefined : this.#queue.splice(index, 1)[0];
    if (ready !== undefined) return Promise.resolve(ready as Wanted);
    if (this.#ended !== undefined) return Promise.reject(new ControlError(this.#ended(), false, this.#cause));
    return new Promise<Wanted>((resolve, reject) => {
      const waiter: Waiter<Message> = {
        types,
        resolve: resolve as (message: Message) => void,
        reject,
        deadline: new Deadline(timeoutMs, () => {
          this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
          reject(new ControlError(`${what}: no answer within ${Math.round(timeoutMs)} ms`, true));
        }),
      };
      this.#waiters.push(waiter);
    });
  }
}

import { Method, type StreamTotals } from "../../scenarios/check.ts";
import { HEADER_BYTES, Status } from "../../transports/contract/frame.ts";
import { readUsage } from "../process/usage.ts";
import { echoDescriptor } from "./descriptor.ts";
import { serverStatistics } from "./statistics.ts";

/** What both servers know of themselves when somebody asks. */
export interface ServerFacts {
  readonly requests: number;
  readonly clients: number;
  /** The largest reply, header included. */
  readonly maxMessageBytes: number;
  takeTotals(): StreamTotals;
}

export interface Answer {
  readonly status: Status;
  readonly body: Uint8Array;
}

const EMPTY = new Uint8Array(0);
/** A timer set to more fires at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The delay that the body of a request states (`Method.echoLater`, `Method.pooled`); none where there is no room for one. */
export function delayMsOf(request: Uint8Array): number {
  return Math.min(leadingNumber(request), LONGEST_DELAY_MS);
}

/** The u32 at the start of the body; 0 where there is no room for one. */
export function leadingNumber(request: Uint8Array): number {
  if (request.length < HEADER_BYTES + 4) return 0;
  return new DataView(request.buffer, request.byteOffset).getUint32(HEADER_BYTES, true);
}

/** The reply to a method that needs nothing but a look: the same for every kind of server. One too large to be sent is `failed`. */
export function handleImmediately(method: number, request: Uint8Array, facts: ServerFacts): Answer {
  const answer = look(method, request, facts);
  const fits = HEADER_BYTES + answer.body.length <= facts.maxMessageBytes;
  return fits ? answer : { status: Status.failed, body: EMPTY };
}

function look(method: number, request: Uint8Array, facts: ServerFacts): Answer {
  switch (method) {
    case Method.statistics:
      return ok(serverStatistics(facts.requests, facts.clients));
    case Method.usage:
      return ok(readUsage());
    case Method.streamTotals:
      return ok(facts.takeTotals());
    case Method.descriptor:
      try {
        return ok(echoDescriptor(request.subarray(HEADER_BYTES)));
      } catch {
        return { status: Status.failed, body: EMPTY };
      }
    default:
      return { status: Status.unknownMethod, body: EMPTY };
  }
}

function ok(value: object): Answer {
  return { status: Status.ok, body: new TextEncoder().encode(JSON.stringify(value)) };
}

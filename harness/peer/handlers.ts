import { Method, type StreamTotals } from "../../scenarios/check.ts";
import { HEADER_BYTES, Status } from "../../transports/contract/frame.ts";
import { holdCompiler } from "../process/compiler-hold.ts";
import { readUsage } from "../process/usage.ts";
import { echoDescriptor } from "./descriptor.ts";
import { serverStatistics } from "./statistics.ts";

/** Statistics that both servers report on request. */
export interface ServerFacts {
  readonly requests: number;
  readonly clients: number;
  /** Size of the largest reply, bytes, header included. */
  readonly maxMessageBytes: number;
  takeTotals(): StreamTotals;
}

export interface Answer {
  readonly status: Status;
  readonly body: Uint8Array;
}

const EMPTY = new Uint8Array(0);
/** Longest delay of a timer, ms; a timer with a longer delay would fire immediately. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Returns the delay that the body of a request states (`Method.echoLater`, `Method.pooled`); 0 for a short body. */
export function delayMsOf(request: Uint8Array): number {
  return Math.min(leadingNumber(request), LONGEST_DELAY_MS);
}

/** Returns the u32 at the start of the body; 0 for a short body. */
export function leadingNumber(request: Uint8Array): number {
  if (request.length < HEADER_BYTES + 4) return 0;
  return new DataView(request.buffer, request.byteOffset).getUint32(HEADER_BYTES, true);
}

/** Returns the reply to a method that only looks something up; `failed` if it is too large to be sent. */
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
      holdCompiler(request[HEADER_BYTES] === 1);
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

import type { Pick } from "./model.ts";
import {
  above0,
  anyOf,
  integer,
  interval,
  intervalOf,
  list,
  mode,
  model,
  name,
  object,
  orNull,
  placement,
  rate,
  type Schema,
  share,
  signedTime,
  text,
  time,
  times,
} from "./schema-parts.ts";

export const PICK: Schema = model<Pick>()(
  { transport: name, mode, placement, sentence: text },
  {
    reasons: list(text),
    fastest: orNull(text),
    runnerUp: orNull(text),
    ties: list(text),
    immaterial: list(text),
    ruledOut: list(object({ transport: text, reason: text })),
    notExamined: list(object({ transport: text, reason: text })),
    verdict: anyOf<NonNullable<Pick["verdict"]>>({
      alone: true,
      ahead: true,
      tie: true,
      immaterial: true,
      "cannot-tell": true,
    }),
    alternatives: list(object({ transport: text, mode, sentence: text }, { ratio: times, interval })),
    otherServers: list(object({ transport: text, mode, language: text, sentence: text }, { ratio: times, interval })),
    flips: list(
      object(
        {
          over: anyOf({ payloadBytes: true, clients: true, ratePerSecond: true }),
          at: rate,
          transport: text,
          sentence: text,
        },
        { ratePerSecond: orNull(rate), ratio: times, interval },
      ),
    ),
    workload: object(
      {},
      {
        payloads: list(integer()),
        modes: list(mode),
        placement,
        mix: list(object({ bytes: integer(1), share: above0(1) }), 16),
        recorded: object({ name: text, count: integer(1) }),
        benchmark: text,
        peer: text,
        codec: text,
        clients: integer(1),
        ratePerSecond: orNull(rate),
        neededClients: integer(1),
        optimize: anyOf({ p50: true, p99: true, throughput: true, cpu: true }),
        matters: share,
        assumedWorkNs: time,
        measuredWorkNs: time,
      },
    ),
    ranking: list(
      object(
        { transport: text, mode, ratio: times },
        {
          interval: orNull(interval),
          request: object(
            {
              matters: anyOf({ yes: true, no: true, unclear: true }),
              ratio: times,
              bounds: orNull(interval),
              savedNs: signedTime,
              breakEvenWorkNs: orNull(time),
            },
            { breakEvenBounds: orNull(intervalOf(time)) },
          ),
        },
      ),
    ),
  },
);

import { codecRoundTrip } from "./codec-round-trip.ts";
import { fanIn } from "./fan-in.ts";
import { fanOut } from "./fan-out.ts";
import { idle } from "./idle.ts";
import type { Model } from "./model.ts";
import { oneWay } from "./one-way.ts";
import { openClose } from "./open-close.ts";
import { paced } from "./paced.ts";
import { pingPong } from "./ping-pong.ts";
import { pipeline } from "./pipeline.ts";
import { stream } from "./stream.ts";

export const MODELS: readonly Model[] = [
  pingPong,
  pipeline,
  stream,
  oneWay,
  paced,
  fanIn,
  fanOut,
  openClose,
  idle,
  codecRoundTrip,
];

export function findModel(id: string): Model {
  const model = MODELS.find((candidate) => candidate.id === id);
  if (model === undefined) throw new Error(`unknown model ${id}`);
  return model;
}

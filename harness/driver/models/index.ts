import type { Model } from "./model.ts";
import { pingPong } from "./ping-pong.ts";
import { stream } from "./stream.ts";

export const MODELS: readonly Model[] = [pingPong, stream];

export function findModel(id: string): Model {
  const model = MODELS.find((candidate) => candidate.id === id);
  if (model === undefined) throw new Error(`unknown model ${id}`);
  return model;
}

import type { Measurement } from "./model.ts";

/** True for a row whose client is on Node. Only such rows are ranked and picked. */
export function hasNodeClient({ client }: Pick<Measurement, "client">): boolean {
  return client === undefined;
}

/** Returns a report, or a part of one, without the rows of clients in other languages. */
export function ofNodeClients<Part extends { readonly measurements: readonly Measurement[] }>(part: Part): Part {
  return { ...part, measurements: part.measurements.filter(hasNodeClient) };
}

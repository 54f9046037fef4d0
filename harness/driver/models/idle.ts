import { CLEAN, type Model } from "./model.ts";

const SLICE_MS = 100;

/** Open connection on which nobody sends. One "message" of the plan is one millisecond. */
export const idle: Model = {
  id: "idle",
  prepare({ link }) {
    const into = new Uint8Array(4096);
    return {
      async window(count) {
        const startedNs = process.hrtime.bigint();
        const elapsedMs = (): number => Number(process.hrtime.bigint() - startedNs) / 1e6;
        let problem: string | undefined;
        if (link.face === "event") await new Promise((resolve) => setTimeout(resolve, count));
        else {
          // Waits as the application would: in the call, for as long as the mechanism lets it sleep or makes it spin.
          for (let leftMs = count; leftMs > 0 && problem === undefined; leftMs = count - elapsedMs()) {
            if (link.connection.receive(into, Math.min(SLICE_MS, Math.ceil(leftMs))) >= 0) problem = "a message came";
          }
        }
        return {
          messages: count,
          elapsedNs: elapsedMs() * 1e6,
          samples: null,
          ...CLEAN,
          ...(problem === undefined ? {} : { problem }),
        };
      },
    };
  },
};

import { CLEAN, type Model } from "./model.ts";

const SLICE_MS = 100;

/** Open connection on which nobody sends. One "message" in the plan means one millisecond. */
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
          // Waits in the call, as an application would; the mechanism sleeps or spins in it.
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

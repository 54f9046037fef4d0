/** Messages between a driver and a measuring client in another language: JSON lines on its stdin and stdout. */
import type { Failed, LoadWindow, PeerDone, PeerReady, PeerStart, UsageReport } from "./messages.ts";

/** Models that a client in another language has. */
export const CLIENT_MODELS = ["ping-pong", "stream"] as const;
export type ClientModel = (typeof CLIENT_MODELS)[number];

/** Order to run one window; answered by `load-window`. */
export interface RunWindow {
  readonly type: "run";
  readonly model: ClientModel;
  readonly messages: number;
  readonly payloadBytes: number;
}
/** Question about resources; answered by `usages`. */
export interface ReportUsages {
  readonly type: "report-usage";
  /** `true`: also those of the server, which it requests over its connection. */
  readonly server: boolean;
  /** As in `PeerReportUsage`. */
  readonly hold: boolean;
}
/** Order to close the connection and to end. */
export interface StopClient {
  readonly type: "stop";
  /** `true`: first ends the server by a request, because it has no other channel. */
  readonly shutdown: boolean;
}
export type ToClient = PeerStart | RunWindow | ReportUsages | StopClient;

/** Resources that the client and its server have used since they started. */
export interface Usages {
  readonly type: "usages";
  readonly own: UsageReport;
  readonly server: UsageReport | null;
}
export type FromClient = PeerReady | LoadWindow | Usages | PeerDone | Failed;

import { describeAddressTransport } from "../support/testing/cases.ts";
import { http } from "./http.ts";
import { jsonRpc } from "./json-rpc.ts";
import { websocket } from "./websocket.ts";

describeAddressTransport({ transport: http, moduleUrl: new URL("./http.ts", import.meta.url), exportName: "http" });
describeAddressTransport({
  transport: websocket,
  moduleUrl: new URL("./websocket.ts", import.meta.url),
  exportName: "websocket",
});
describeAddressTransport({
  transport: jsonRpc,
  moduleUrl: new URL("./json-rpc.ts", import.meta.url),
  exportName: "jsonRpc",
});

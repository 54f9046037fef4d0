import { describeAddressTransport } from "../testing/cases.ts";
import { describeUnaryClose } from "../testing/unary-cases.ts";
import { http } from "./http.ts";
import { websocket } from "./websocket.ts";

describeAddressTransport({ transport: http, moduleUrl: new URL("./http.ts", import.meta.url), exportName: "http" });
describeAddressTransport({
  transport: websocket,
  moduleUrl: new URL("./websocket.ts", import.meta.url),
  exportName: "websocket",
});
describeUnaryClose({ transport: http, moduleUrl: new URL("./http.ts", import.meta.url), exportName: "http" });

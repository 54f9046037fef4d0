import { describeAddressTransport } from "../support/testing/cases.ts";
import { zeromqDealerRouter, zeromqReqRep, zeromqTcp } from "./zeromq.ts";

const moduleUrl = new URL("./zeromq.ts", import.meta.url);
describeAddressTransport({ transport: zeromqDealerRouter, moduleUrl, exportName: "zeromqDealerRouter" });
describeAddressTransport({ transport: zeromqReqRep, moduleUrl, exportName: "zeromqReqRep" });
describeAddressTransport({ transport: zeromqTcp, moduleUrl, exportName: "zeromqTcp" });

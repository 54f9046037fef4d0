import { describeAddressTransport } from "../testing/cases.ts";
import { grpcStream, grpcUnary } from "./grpc.ts";

const moduleUrl = new URL("./grpc.ts", import.meta.url);
describeAddressTransport({ transport: grpcUnary, moduleUrl, exportName: "grpcUnary" });
describeAddressTransport({ transport: grpcStream, moduleUrl, exportName: "grpcStream" });

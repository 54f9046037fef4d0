import * as grpc from "@grpc/grpc-js";
import type { EchoArm } from "./arm.ts";
import { answer } from "./load.ts";

const DEADLINE_MS = 60_000;

const identity = (message: Buffer): Buffer => message;
const bytes = {
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
};
const service = {
  call: { path: "/echo.Echo/Call", requestStream: false, responseStream: false, ...bytes },
  stream: { path: "/echo.Echo/Stream", requestStream: true, responseStream: true, ...bytes },
} satisfies grpc.ServiceDefinition;

async function serve(directory: string): Promise<string> {
  const server = new grpc.Server();
  server.addService(service, {
    call: (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) =>
      callback(null, answer(call.request)),
    stream: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
      call.on("data", (message: Buffer) => call.write(answer(message)));
      call.on("end", () => call.end());
    },
  });
  const where = `unix:${directory}/grpc`;
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(where, grpc.ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
  return where;
}

export const unary: EchoArm = {
  serve,
  async exchange(where, load) {
    const client = new grpc.Client(where, grpc.credentials.createInsecure());
    for (let request = load.next(); request; request = load.next()) {
      const body = request;
      const reply = await new Promise<Buffer>((resolve, reject) => {
        // gRPC's own guide: always set a deadline.
        const deadline = Date.now() + DEADLINE_MS;
        client.makeUnaryRequest(service.call.path, identity, identity, body, { deadline }, (error, value) => {
          if (value) resolve(value);
          else reject(error);
        });
      });
      load.accept(reply);
    }
    client.close();
  },
};

export const stream: EchoArm = {
  serve,
  async exchange(where, load) {
    const client = new grpc.Client(where, grpc.credentials.createInsecure());
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(service.stream.path, identity, identity);
    await new Promise<void>((resolve, reject) => {
      const send = (): void => {
        const request = load.next();
        if (request) call.write(request);
        else call.end();
      };
      call.on("data", (reply: Buffer) => {
        load.accept(reply);
        send();
      });
      call.on("error", reject);
      call.on("end", resolve);
      send();
    });
    client.close();
  },
};

import { Agent, request } from "node:http";
import { existingServer, IpcError, loopbackPort, type PortAddress } from "../../../harness/index.ts";

export default existingServer({
  id: "my-http",
  address: loopbackPort,
  command: ({ port }) => [process.execPath, `${import.meta.dirname}/http-server.mjs`, String(port)],
  ready: /listening/,
  connect(address) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    return { request: (body) => post(agent, address, body), close: () => agent.destroy() };
  },
  capabilities: { connects: "lazy" },
});

function post(agent: Agent, { host, port }: PortAddress, body: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host, port, method: "POST", path: "/echo" }, (response) => {
      const parts: Uint8Array[] = [];
      response.on("data", (part: Uint8Array) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(parts));
        else reject(new IpcError("IPC_MALFORMED", `my-http answered with status ${response.statusCode}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

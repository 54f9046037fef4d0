import { expect, it } from "vitest";
import { echoServer, runtimeServers } from "./servers.ts";

it("a runtime serves both kinds of sockets by the example, whose replies are the requests", () => {
  expect(echoServer()).toContain("return message;");
  const servers = runtimeServers([{ name: "bun", command: ["bun"] }], "server.mjs");
  expect(servers.map(({ id }) => id)).toEqual(["bun/unix", "bun/tcp"]);
});

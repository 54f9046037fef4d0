// A server of a user: echoes what is posted to it. It has nothing of ipcmark in it.
import { createServer } from "node:http";

const server = createServer((request, response) => request.pipe(response));
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.stdout.write("listening\n"));
process.once("SIGTERM", () => server.close().closeAllConnections());

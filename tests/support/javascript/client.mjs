// Host of socket.io-client for tests. Each connection to the Unix socket `process.argv[2]` controls one client with JSON
// commands, and receives JSON reports, one per line. The end of a connection disconnects its client; the end of standard
// input ends the process.
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const createCommands = (report) => {
  let socket;
  return {
    async connect({ version, url, options }) {
      const { io } = await import(`socket.io-client-${version}`);
      socket = io(url, { forceNew: true, ...options });
      socket.on("connect", () => report({ on: "connect", id: socket.id, transport: socket.io.engine.transport.name }));
      socket.on("disconnect", (reason) => report({ on: "disconnect", reason }));
      socket.on("connect_error", (error) => report({ on: "connect_error", message: error.message, data: error.data }));
      socket.io.engine.on("upgrade", (transport) => report({ on: "upgrade", transport: transport.name }));
      socket.onAny((event, ...args) => report({ on: "event", event, args }));
    },
    emit({ event, args, id }) {
      if (id === undefined) socket.emit(event, ...args);
      else socket.emit(event, ...args, (...ack) => report({ on: "ack", id, ack }));
    },
    disconnect() {
      socket?.disconnect();
    },
  };
};

const server = createServer(async (connection) => {
  const commands = createCommands((message) => connection.writable && connection.write(JSON.stringify(message) + "\n"));
  for await (const line of createInterface({ input: connection })) {
    const command = JSON.parse(line);
    await commands[command.do](command);
  }
  commands.disconnect();
  connection.end();
});
server.listen(process.argv[2], () => process.stdout.write("ready\n"));
for await (const _ of process.stdin);
process.exit(0);

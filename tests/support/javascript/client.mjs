// Test driver of socket.io-client: JSON commands on standard input, JSON reports on standard output.
import { createInterface } from "node:readline";

const { io } = await import(`socket.io-client-${process.argv[2]}`);
const report = (message) => process.stdout.write(JSON.stringify(message) + "\n");
let socket;

const commands = {
  connect({ url, options }) {
    socket = io(url, { forceNew: true, ...options });
    socket.on("connect", () => report({ on: "connect", id: socket.id, transport: socket.io.engine.transport.name }));
    socket.on("disconnect", (reason) => report({ on: "disconnect", reason }));
    socket.on("connect_error", (error) => report({ on: "connect_error", message: error.message, data: error.data }));
    socket.io.engine.on("upgrade", (transport) => report({ on: "upgrade", transport: transport.name }));
    socket.onAny((event, ...args) => report({ on: "event", event, args }));
  },
  emit({ event, args, id }) {
    if (id === undefined) socket.emit(event, ...args);
    else socket.emit(event, ...args, (...answer) => report({ on: "answer", id, answer }));
  },
  disconnect() {
    socket.disconnect();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  commands[command.do](command);
}
process.exit(0);

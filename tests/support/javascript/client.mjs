// A real socket.io-client, driven by JSON lines: commands on standard input, what happens on standard output.
import { createInterface } from "node:readline";

const { io } = await import(`socket.io-client-${process.argv[2]}`);
const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");
let socket;

const commands = {
  connect({ url, options }) {
    socket = io(url, { forceNew: true, ...options });
    socket.on("connect", () => tell({ on: "connect", id: socket.id, transport: socket.io.engine.transport.name }));
    socket.on("disconnect", (reason) => tell({ on: "disconnect", reason }));
    socket.on("connect_error", (error) => tell({ on: "connect_error", message: error.message, data: error.data }));
    socket.io.engine.on("upgrade", (transport) => tell({ on: "upgrade", transport: transport.name }));
    socket.onAny((event, ...args) => tell({ on: "event", event, args }));
  },
  emit({ event, args, id }) {
    if (id === undefined) socket.emit(event, ...args);
    else socket.emit(event, ...args, (...answer) => tell({ on: "answer", id, answer }));
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

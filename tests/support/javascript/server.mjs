// Basic Socket.IO chat server: `joinRoom` and `sendMessage` broadcast to the room, without history. Standard input has
// JSON commands, standard output JSON reports, one per line. Arguments: version of socket.io, port.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const [version, port] = process.argv.slice(2);
const { Server } = await import(`socket.io-${version}`);
const report = (message) => process.stdout.write(JSON.stringify(message) + "\n");

// Differences between servers of this kind, changed by the command `configure`. `ack` is the acknowledgement of a join.
const initialBehavior = { announces: true, announcement: "{nick} 加入了 {room} 房间", echoes: true, ack: undefined };
const behavior = { ...initialBehavior };

const http = createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  socket.onAny((event, ...args) => {
    report({ on: "event", event, args: args.filter((argument) => typeof argument !== "function") });
  });
  socket.on("joinRoom", ({ roomName, nickName }, acknowledge) => {
    socket.join(roomName);
    if (behavior.ack !== undefined) acknowledge(behavior.ack);
    const announcement = behavior.announcement.replaceAll("{nick}", nickName).replaceAll("{room}", roomName);
    if (behavior.announces) io.to(roomName).emit("message", { nickName, message: announcement });
  });
  socket.on("sendMessage", ({ room, nickName, message }) => {
    const readers = behavior.echoes ? io.to(room) : socket.to(room);
    readers.emit("message", { nickName, message });
  });
});
http.listen(Number(port), "127.0.0.1", () => report({ on: "listening", port: http.address().port }));

const commands = {
  configure: ({ set }) => {
    Object.assign(behavior, set);
    report({ on: "configured" });
  },
  push: ({ event, body }) => io.emit(event, body),
  disconnectAll: () => io.disconnectSockets(true),
  reset: () => {
    io.disconnectSockets(true);
    Object.assign(behavior, initialBehavior);
    report({ on: "reset" });
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  commands[command.do](command);
}
process.exit(0);

// A Socket.IO server of the kind that people have: it knows `joinRoom` and `sendMessage`, tells everybody in
// the room, keeps nothing and acknowledges nothing. Driven by JSON lines, as client.mjs is.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const [version, port] = process.argv.slice(2);
const { Server } = await import(`socket.io-${version}`);
const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");

// How it is unlike the next one; each can be set by a command.
const manner = { announces: true, echoes: true, answers: undefined };

const http = createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  socket.onAny((event, ...args) => tell({ on: "event", event, args: args.filter((each) => typeof each !== "function") }));
  socket.on("joinRoom", ({ roomName, nickName }, answer) => {
    socket.join(roomName);
    if (manner.answers !== undefined) answer(manner.answers);
    if (manner.announces) io.to(roomName).emit("message", { nickName, message: `${nickName} 加入了 ${roomName} 房间` });
  });
  socket.on("sendMessage", ({ room, nickName, message }) => {
    const readers = manner.echoes ? io.to(room) : socket.to(room);
    readers.emit("message", { nickName, message });
  });
});
http.listen(Number(port), "127.0.0.1", () => tell({ on: "listening", port: http.address().port }));

const commands = {
  manner: ({ set }) => Object.assign(manner, set),
  push: ({ event, body }) => io.emit(event, body),
  cut: () => io.disconnectSockets(true),
};
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  commands[command.do](command);
}
process.exit(0);

// Minimal chat server for comparison: the handlers of server.mjs on socket.io with Bun's own engine.
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";

const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);

io.on("connection", (socket) => {
  socket.on("joinRoom", ({ roomName, nickName }, ack) => {
    socket.join(roomName);
    if (!process.env.QUIET_JOINS) io.to(roomName).emit("message", { nickName, message: `${nickName} 加入了 ${roomName} 房间` });
    ack?.({ ok: true });
  });
  socket.on("sendMessage", ({ room, nickName, message }, ack) => {
    io.to(room).emit("message", { nickName, message });
    ack?.({ ok: true });
  });
});

const server = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 120, ...engine.handler() });
console.log(`listening on http://127.0.0.1:${server.port}`);
process.on("SIGTERM", () => process.exit(0));

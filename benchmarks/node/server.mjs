// Minimal chat server for comparison: two handlers on socket.io, without storage. Runs on Node.js.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { serveClient: false });

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

http.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
process.on("SIGTERM", () => process.exit(0));

// Socket.IO as a tenant-separated broadcaster: HS256 token at the handshake, one room per company, events through Redis.
// Environment: PORT, REDIS_URL, JWT_SECRET.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import jwt from "jsonwebtoken";
import { createClient } from "redis";
import { Server } from "socket.io";

const { PORT, REDIS_URL, JWT_SECRET } = process.env;

const publisher = createClient({ url: REDIS_URL });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

const http = createServer((_, response) => response.end("ready"));
const io = new Server(http, {
  adapter: createAdapter(publisher, subscriber),
  // As the guide to performance says: no polling first, no compression of small frames.
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
});

// Recommended there too: the first request is not kept for the life of the connection.
io.engine.on("connection", (connection) => {
  connection.request = null;
});

io.use((socket, next) => {
  try {
    const claims = jwt.verify(socket.handshake.auth.token, JWT_SECRET, { algorithms: ["HS256"] });
    socket.join(`company:${claims.companyId}`);
    next();
  } catch {
    next(new Error("unauthorized"));
  }
});

http.listen({ host: "127.0.0.1", port: Number(PORT), backlog: 4096 });

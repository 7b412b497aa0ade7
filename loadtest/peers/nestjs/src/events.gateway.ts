// The gateway: who may in, and to which room.
import { JwtService } from "@nestjs/jwt";
import { type OnGatewayInit, WebSocketGateway } from "@nestjs/websockets";
import type { Server } from "socket.io";

@WebSocketGateway({ transports: ["websocket"], perMessageDeflate: false, serveClient: false })
export class EventsGateway implements OnGatewayInit {
  constructor(private readonly tokens: JwtService) {}

  afterInit(server: Server): void {
    // Recommended by Socket.IO: the first request is not kept for the life of the connection.
    server.engine.on("connection", (connection: { request: unknown }) => {
      connection.request = null;
    });
    server.use(async (socket, next) => {
      try {
        const claims = await this.tokens.verifyAsync<{ companyId: string }>(socket.handshake.auth.token);
        await socket.join(`company:${claims.companyId}`);
        next();
      } catch {
        next(new Error("unauthorized"));
      }
    });
  }
}

// NestJS as a tenant-separated broadcaster: HS256 token at the handshake, one room per company, events through Redis.
// Environment: PORT, REDIS_URL, JWT_SECRET.
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { JwtModule } from "@nestjs/jwt";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { EventsGateway } from "./events.gateway.js";
import { RedisIoAdapter } from "./redis-io.adapter.js";

@Module({
  imports: [
    JwtModule.register({ secret: process.env.JWT_SECRET ?? "", verifyOptions: { algorithms: ["HS256"] } }),
  ],
  providers: [EventsGateway],
})
class AppModule {}

const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: ["error", "warn"] });
const adapter = new RedisIoAdapter(app);
await adapter.connectToRedis(process.env.REDIS_URL ?? "");
app.useWebSocketAdapter(adapter);
await app.init();
app.getHttpServer().listen({ host: "127.0.0.1", port: Number(process.env.PORT), backlog: 4096 });

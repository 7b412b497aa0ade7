#!/usr/bin/env python3
"""Follows a company from the frames alone: python3 examples/client.py ws://127.0.0.1:8080/v1/ws token.txt

Prints each event once and in order, however often the connection breaks. The token's file is read for every connection,
so that somebody else may renew it. Needs the package `websockets` (Debian: python3-websockets).
"""

import asyncio, contextlib, json, random, sys
import websockets


def place(cursor):  # "<epoch>-<seq>", ordered by both as numbers
    return tuple(map(int, cursor.split("-")))


class Client:
    def __init__(self, url, token):
        self.url, self.token = url, token
        self.cursor = None  # the last event that was handled: a real application keeps it with what it made of it
        self.failed = 0  # attempts in a row

    async def run(self):
        while True:
            wait = await self.connect()
            self.failed += 1
            # Never all clients at once: anything between nothing and twice as long as the time before.
            await asyncio.sleep(wait + random.uniform(0, min(30, 0.5 * 2**self.failed)))

    async def connect(self):
        """One connection, until it ends; how long the gateway asks to stay away."""
        query = f"?lastEventId={self.cursor}" if self.cursor else ""
        protocols = ["realtime.v1", f"bearer.{self.token()}"]
        try:
            async with websockets.connect(self.url + query, subprotocols=protocols, max_size=None) as socket:
                await self.listen(socket)
        except websockets.InvalidHandshake as refusal:  # before the upgrade there is an HTTP status
            answer = getattr(refusal, "response", refusal)
            if (status := getattr(answer, "status_code", 0)) in (400, 403):
                sys.exit(f"refused: {status}")
            return int(getattr(answer, "headers", {}).get("Retry-After", 0))
        except (OSError, asyncio.TimeoutError, websockets.ConnectionClosed):
            pass
        return 0

    async def listen(self, socket):
        patience = 10
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                frame = json.loads(await asyncio.wait_for(socket.recv(), patience))
                match frame["frame"]:
                    case "welcome":
                        self.failed, patience = 0, 2 * frame["heartbeatMs"] / 1000
                        if frame["resume"] != "recovered":
                            self.jump(frame, frame["resume"])
                    case "event" if not self.cursor or place(frame["id"]) > place(self.cursor):
                        print(frame["id"], frame["type"], json.dumps(frame["data"], ensure_ascii=False), flush=True)
                        self.cursor = frame["id"]
                    case "resync":
                        self.jump(frame, "resync")
                    case "reconnect":  # the replica goes away: leave when it says, and come back elsewhere
                        asyncio.get_running_loop().call_later(
                            frame["afterMs"] / 1000, lambda: asyncio.ensure_future(socket.close())
                        )
        if socket.close_code in (1009, 4403):
            sys.exit(f"closed for good: {socket.close_code} {socket.close_reason}")

    def jump(self, frame, why):
        """Nobody can prove that nothing is missing: fetch what is shown anew, and go on from here."""
        print(f"# {why}: load everything", flush=True)
        self.cursor = frame["lastEventId"]


if __name__ == "__main__":
    asyncio.run(Client(sys.argv[1], lambda: open(sys.argv[2]).read().strip()).run())

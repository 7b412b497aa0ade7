"""Runs `examples/` against a real gateway and a real Redis that restart, stall and forget."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from shell import SHIMS, answers, read, tail, until

SECRET = "a-secret-of-the-documentation-tests"


class Stage:
    """A gateway with a Redis, a client that listens, and somebody who publishes."""

    def __init__(self, root: Path, programs: Path, folder: Path):
        self.root, self.programs, self.folder = root, programs, folder
        self.port, self.admin, self.redis_port = free_port(), free_port(), free_port()
        self.children: list[subprocess.Popen] = []
        self.environment = os.environ | {
            "GATEWAY_JWT_SECRET": SECRET,
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "GATEWAY_ADMIN_LISTEN": f"127.0.0.1:{self.admin}",
            "GATEWAY_REDIS_URL": f"redis://127.0.0.1:{self.redis_port}",
            "GATEWAY_DRAIN_SECS": "1",
            "GATEWAY_URL": f"http://127.0.0.1:{self.port}",
            "CHECK_ROOT": str(root),
        }

    def start(self, log: str, *command: str | Path) -> subprocess.Popen:
        with open(self.folder / log, "a") as output:
            child = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=self.environment, cwd=self.folder
            )
        self.children.append(child)
        return child

    def redis(self) -> subprocess.Popen:
        child = self.start("redis.log", "redis-server", "--port", str(self.redis_port), "--save", "", "--dir", ".")
        must(until(lambda: answers(self.redis_port)), "Redis starts")
        return child

    def gateway(self) -> subprocess.Popen:
        child = self.start("gateway.log", self.programs / "gateway")
        must(until(lambda: ready(self.admin)), "the gateway starts")
        return child

    def token(self, *arguments: str) -> str:
        command = [self.programs / "gateway", "token", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout.strip()

    def client(self) -> subprocess.Popen:
        (self.folder / "token").write_text(self.token("--company", "acme", "--user", "marie"))
        url = f"ws://127.0.0.1:{self.port}/v1/ws"
        example = self.root / "examples/client.py"
        return self.start("client.log", os.environ["CHECK_PYTHON"], example, url, "token")

    def publish(self, number: int) -> subprocess.Popen:
        self.environment["TOKEN"] = self.token("--company", "*", "--user", "api", "--scope", "publish")
        example = self.root / "examples/publish.ts"
        return self.start(
            "publish.log", SHIMS / "node", example, "acme", "stock:low", json.dumps({"left": number})
        )

    def heard(self) -> list[str]:
        return read(self.folder / "client.log").splitlines()

    def numbers(self) -> list[int]:
        return [json.loads(line.split(" ", 2)[2])["left"] for line in self.heard() if not line.startswith("#")]

    def end(self) -> None:
        for child in self.children:
            child.send_signal(signal.SIGCONT)
            child.kill()
            child.wait()


def story(stage: Stage) -> None:
    """What the examples go through."""
    redis, gateway, client = stage.redis(), stage.gateway(), stage.client()
    must(until(lambda: any("fresh" in line for line in stage.heard())), "the client is welcomed")
    must(stage.publish(1).wait(20) == 0 and until(lambda: stage.numbers() == [1]), "an event arrives")

    # Published into a gateway that is away: tried again until it is back.
    gateway.kill()
    gateway.wait()
    publishing = stage.publish(2)
    must(not until(lambda: publishing.poll() is not None, 1), "publishing waits for the gateway")
    gateway = stage.gateway()
    must(publishing.wait(30) == 0, "publishing gets through after a crash")
    must(until(lambda: stage.numbers() == [1, 2]), "the client comes back after a crash, and resumes")

    # Redis stalls: the gateway answers 503, or does not know; the event is stored once.
    redis.send_signal(signal.SIGSTOP)
    publishing = stage.publish(3)
    must(not until(lambda: publishing.poll() is not None, 7), "publishing waits for Redis")
    redis.send_signal(signal.SIGCONT)
    must(publishing.wait(30) == 0 and until(lambda: stage.numbers() == [1, 2, 3]), "published once after a stall")

    # A rollout: asked to reconnect, and a new one in its place.
    gateway.terminate()
    must(gateway.wait(20) == 0, "the gateway drains")
    gateway = stage.gateway()
    must(stage.publish(4).wait(20) == 0 and until(lambda: stage.numbers() == [1, 2, 3, 4]), "nothing lost by a drain")

    # Redis forgets everything: told once, then on from the present.
    redis.kill()
    redis.wait()
    redis = stage.redis()
    must(until(lambda: ready(stage.admin)) and stage.publish(5).wait(30) == 0, "publishing goes on in an empty Redis")
    must(until(lambda: sum("lost" in line or "resync" in line for line in stage.heard()) == 1), "the client is told")
    must(stage.publish(6).wait(20) == 0 and until(lambda: stage.numbers()[-1:] == [6]), "and hears what comes then")
    must(len(set(stage.numbers())) == len(stage.numbers()), "nothing came twice")

    # Cut off for good.
    admin = stage.token("--company", "*", "--user", "ops", "--scope", "admin")
    body = json.dumps({"companyId": "acme", "userId": "marie"}).encode()
    url = f"http://127.0.0.1:{stage.port}/v1/revocations"
    urllib.request.urlopen(urllib.request.Request(url, body, {"Authorization": f"Bearer {admin}"}), timeout=10).close()
    must(until(lambda: client.poll() is not None, 10) and client.poll() != 0, "a client that is cut off stops")


def examples_fail(root: Path, programs: Path) -> str | None:
    """What is wrong with the examples, or nothing."""
    with tempfile.TemporaryDirectory(prefix="examples-", ignore_cleanup_errors=True) as folder:
        stage = Stage(root, programs, Path(folder))
        try:
            story(stage)
        except (AssertionError, subprocess.SubprocessError) as error:
            logs = (f"{log}:\n{tail(Path(folder) / log)}" for log in ("client.log", "publish.log", "gateway.log"))
            return f"{error}\n" + "\n".join(logs)
        finally:
            stage.end()
    return None


def must(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(f"not so: {what}")


def ready(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).status == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]

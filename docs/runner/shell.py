"""Runs the commands of a page as its reader would: in order, in one shell, in a folder that looks like the checkout."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from blocks import Block

# A command that takes longer is stuck: nothing is built here. The machine may be busy.
PATIENCE = 60
SHIMS = Path(__file__).parent / "shims"


class Shell:
    """One page's shell, with what it has left running in the background."""

    def __init__(self, root: Path, programs: Path, scratch: Path, flags_only: bool = False):
        self.scratch = scratch
        self.logs: list[Path] = []
        self.count = 0
        self.dead = False
        (scratch / "tmp").mkdir(parents=True)
        for entry in root.iterdir():
            # What is built comes below; scripts would build, install or run for minutes.
            if entry.name not in ("target", "scripts", ".git", ".local", "node_modules"):
                (scratch / entry.name).symlink_to(entry)
        shims = scratch / "shims"
        shutil.copytree(SHIMS, shims, ignore=shutil.ignore_patterns("flags"))
        if flags_only:
            shutil.copytree(SHIMS / "flags", shims, dirs_exist_ok=True)
            (scratch / "scripts").symlink_to(shims)
        (scratch / "target").mkdir()
        for profile in ("debug", "release"):
            (scratch / "target" / profile).symlink_to(shims if flags_only else programs)
        (scratch / "node_modules").symlink_to(root / "pwa" / "node_modules")
        # Node itself sees by the text that a program is a module.
        (scratch / "package.json").write_text('{ "type": "module" }')
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        environment |= {
            "PATH": f"{shims}:{programs}:{os.environ['PATH']}:/usr/sbin",
            "PROGRAMS": str(programs),
            "CHECK_ROOT": str(root),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.bash = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, cwd=scratch, env=environment, start_new_session=True, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def run(self, block: Block, code: str) -> str | None:
        """Runs a block; what went wrong, or nothing."""
        if self.dead:
            return "not reached: a block before it failed"
        wrong = self.need(block) or self.execute(block, code.replace("/tmp/", f"{self.scratch}/tmp/"))
        self.dead = wrong is not None
        return wrong

    def need(self, block: Block) -> str | None:
        if "needs" not in block.words:
            return None
        if block.words["needs"] != "redis":
            return f"nobody knows how to start `{block.words['needs']}`"
        if not answers(6379):
            log = self.file("redis.log")
            self.say(f"redis-server --save '' --dir {self.scratch} >{log} 2>&1 </dev/null &")
        return None if until(lambda: answers(6379)) else "Redis did not start"

    def execute(self, block: Block, code: str) -> str | None:
        self.count += 1
        script, log, done = (self.file(f"block-{self.count}.{kind}") for kind in ("sh", "log", "done"))
        script.write_text(code)
        if "background until" in block.words:
            self.logs.append(log)
            self.say(f"{{ (set -e; source {script}) >{log} 2>&1 </dev/null; : >{done}; }} &")
            return self.there(block.words["background until"], log, done)
        self.say(f"set -eo pipefail; source {script} >{log} 2>&1 </dev/null; set +e; : >{done}")
        if not until(lambda: done.exists() or self.bash.poll() is not None) or not done.exists():
            return f"failed:\n{tail(log)}"
        text = block.words.get("prints", "")
        if text not in read(log):
            return f"did not print `{text}`:\n{tail(log)}"
        text = block.words.get("hears")
        if text and not until(lambda: any(text in read(one) for one in self.logs), 10):
            heard = "\n".join(tail(one) for one in self.logs)
            return f"nobody in the background printed `{text}`:\n{heard}"
        return None

    def there(self, sign: str, log: Path, done: Path) -> str | None:
        """Waits for what a block in the background prints, or for the port that it listens on."""
        port = re.fullmatch(r"port (\d+)", sign)

        def shows() -> bool:
            return answers(int(port[1])) if port else sign in read(log)

        until(lambda: shows() or done.exists())
        return None if shows() else f"never there, `{sign}`:\n{tail(log)}"

    def file(self, name: str) -> Path:
        return self.scratch / "tmp" / name

    def say(self, line: str) -> None:
        self.bash.stdin.write(line + "\n")
        self.bash.stdin.flush()

    def close(self) -> None:
        """Ends the shell and everything that it started."""
        try:
            os.killpg(self.bash.pid, signal.SIGTERM)
            time.sleep(0.1)
            os.killpg(self.bash.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.bash.wait()


def until(check, seconds: float = PATIENCE) -> bool:
    """Whether the check comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return bool(check())


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def tail(path: Path) -> str:
    return "\n".join(f"    | {line}" for line in read(path).splitlines()[-15:])

"""What is done with a block of each language. A check gives what is wrong, or nothing."""

import json
import re
import sqlite3
import subprocess
import tomllib
from pathlib import Path

from blocks import Block

# Pictures and texts: there is nothing to run in them.
WITHOUT_CODE = {"text", "mermaid"}
TYPESCRIPT = {"ts", "tsx", "js"}


def sh_parses(block: Block) -> str | None:
    answer = subprocess.run(["bash", "-n"], input=block.code, text=True, capture_output=True)
    return answer.stderr or None


def python_parses(block: Block) -> str | None:
    try:
        compile(block.code, block.place, "exec")
    except SyntaxError as error:
        return str(error)
    return None


def toml_parses(block: Block) -> str | None:
    try:
        tomllib.loads(block.code)
    except tomllib.TOMLDecodeError as error:
        return str(error)
    return None


def sql_is_understood(block: Block) -> str | None:
    """SQLite prepares each statement, with the tables that `given` makes."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.executescript(block.words.get("given", ""))
        for statement in filter(str.strip, re.sub(r"--.*", "", block.code).split(";")):
            names = dict.fromkeys(re.findall(r":(\w+)", statement), "")
            database.execute(statement if re.match(r"\s*(BEGIN|COMMIT)", statement) else f"EXPLAIN {statement}", names)
    except sqlite3.Error as error:
        return str(error)
    return None


def haproxy_takes_it(block: Block, folder: Path) -> str | None:
    file = folder / "haproxy.cfg"
    file.write_text(block.code)
    answer = subprocess.run(["haproxy", "-c", "-f", file], capture_output=True, text=True)
    return None if answer.returncode == 0 else answer.stderr


def yaml_parses(block: Block, root: Path) -> str | None:
    """With the parser that the manifests' checks use."""
    program = (
        "const { parseAllDocuments } = require('yaml');"
        "for (const { errors } of parseAllDocuments(require('fs').readFileSync(0, 'utf8'))) for (const e of errors) throw e"
    )
    answer = subprocess.run(
        ["node", "-e", program], cwd=root / "k8s" / "check", input=block.code, capture_output=True, text=True
    )
    return None if answer.returncode == 0 else answer.stderr


def rust_is_a_doctest(block: Block, root: Path) -> str | None:
    """`cargo test` compiles it: some crate takes the page in as its documentation."""
    sources = [(root / "gateway/src/lib.rs", block.page)]
    folder, _, name = block.page.rpartition("/")
    if (root / folder / "src/lib.rs").exists():
        sources.append((root / folder / "src/lib.rs", name))
    if not any(re.search(rf'include_str!\("(\.\./)+{re.escape(page)}"\)', file.read_text()) for file, page in sources):
        return f"no crate takes {block.page} in as documentation: see gateway/src/lib.rs"
    if not re.fullmatch(r"rust(,no_run)?", block.language):
        return f"`{block.language}` is not compiled"
    return None


def json_is_valid(block: Block, root: Path) -> str | None:
    """A frame must be one of the schema's, an event's data what the catalog says of its type."""
    try:
        value = json.loads(block.code)
    except json.JSONDecodeError as error:
        return str(error)
    if not isinstance(value, dict):
        return None
    if "frame" in value:
        for side in ("server", "client"):
            schema = json.loads((root / f"shared/schema/{side}-frame.json").read_text())
            for form in (resolved(form, schema) for form in schema["oneOf"]):
                if form["properties"]["frame"]["const"] == value["frame"]:
                    return misfit(value, form)
        return f"there is no frame `{value['frame']}`"
    if {"companyId", "type", "data"} <= value.keys():
        unknown = value.keys() - {"companyId", "type", "data", "eventId", "time"}
        return f"unknown members {unknown}" if unknown else None
    return None


def resolved(form: dict, schema: dict) -> dict:
    """The members of a form, with those of the definitions that it refers to."""
    common = resolved(schema["$defs"][form["$ref"].split("/")[-1]], schema) if "$ref" in form else {}
    return {
        "properties": common.get("properties", {}) | form.get("properties", {}),
        "required": [*common.get("required", []), *form.get("required", [])],
    }


def misfit(value: dict, form: dict) -> str | None:
    missing = set(form["required"]) - value.keys()
    unknown = value.keys() - form["properties"].keys()
    return f"missing {missing or 'nothing'}, unknown {unknown or 'nothing'}" if missing or unknown else None


def typescript_errors(blocks: list[Block], programs: list[Path], root: Path, folder: Path) -> dict[str, str]:
    """The compiler's complaints about all blocks at once, by place. `./hooks` is the dashboard's."""
    source = folder / "src"
    source.mkdir(parents=True)
    (folder / "node_modules").symlink_to(root / "pwa" / "node_modules")
    names = {}
    for number, block in enumerate(blocks):
        suffix = "tsx" if block.language == "tsx" else "ts"
        name = f"block{number}.{suffix}"
        names[name] = block.place
        given = "".join(f"declare {one.strip()};\n" for one in block.words.get("given", "").split(";") if one.strip())
        (source / name).write_text(f"{given}{block.code}\nexport {{}};\n")
    options = {
        "extends": str(root / "pwa/tsconfig.json"),
        "compilerOptions": {
            "rootDirs": [str(source), str(root / "pwa/src")],
            "noUnusedLocals": False,
            "noUnusedParameters": False,
            "allowImportingTsExtensions": True,
        },
        "include": [str(source)],
        "files": [str(program) for program in programs],
    }
    (folder / "tsconfig.json").write_text(json.dumps(options))
    compiler = root / "pwa/node_modules/.bin/tsc"
    answer = subprocess.run([compiler, "-p", folder / "tsconfig.json"], cwd=folder, capture_output=True, text=True)
    wrong: dict[str, str] = {}
    for line in (answer.stdout + answer.stderr).splitlines():
        name = next((name for name in names if f"{name}(" in line), None)
        place = names[name] if name else "examples"
        wrong[place] = wrong.get(place, "") + line + "\n"
    return wrong

// Makes the operator, the account and the names that user tokens are signed with, for this machine alone: `keys.mjs FOLDER`.
// Writes accounts.conf for the server, account.der (signs users' tokens) and names.json (who signs, who is signed for).
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { writeFileSync } from "node:fs";

const PREFIX = { operator: 14 << 3, account: 0, user: 20 << 3 };

/** The public name of a key as NATS writes it: prefix, key, checksum, in base 32. */
function name(kind, publicKey) {
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url");
  const body = Buffer.concat([Buffer.from([PREFIX[kind]]), raw]);
  let crc = 0;
  for (const byte of body) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  const bits = [...body, crc & 0xff, crc >> 8].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.replace(/.{1,5}/g, (five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five.padEnd(5, "0"), 2)]);
}

function identity(kind) {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { name: name(kind, publicKey), key: privateKey };
}

function token(issuer, subject, label, nats) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const iat = Math.floor(Date.now() / 1000);
  const claims = { jti: randomUUID(), iat, iss: issuer.name, name: label, sub: subject.name, nats: { ...nats, version: 2 } };
  const text = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), issuer.key).toString("base64url")}`;
}

const [operator, account, user] = ["operator", "account", "user"].map(identity);
const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
const accountToken = token(operator, account, "loadtest", { type: "account", limits: unlimited });
const folder = process.argv[2];
writeFileSync(
  `${folder}/accounts.conf`,
  `operator: ${token(operator, operator, "loadtest", { type: "operator" })}
resolver: MEMORY
resolver_preload: { ${account.name}: ${accountToken} }
`,
);
writeFileSync(`${folder}/account.der`, account.key.export({ format: "der", type: "pkcs8" }), { mode: 0o600 });
writeFileSync(`${folder}/names.json`, JSON.stringify({ account: account.name, user: user.name }));

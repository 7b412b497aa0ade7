//! NATS over WebSocket: its text protocol in binary frames, a user's JWT in `CONNECT`, one subject per company.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, bail};
use async_trait::async_trait;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use memchr::memmem;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{CompanyId, Cursor};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{Dialect, Greeting, Heard, Outlet, Parcel, Ticket, upgrade};

/// The protocol, with what signs users' tokens.
pub(super) struct Nats {
    account: Account,
    /// A company's sessions bring the same token: the server checks each anew, and we sign once.
    tokens: Mutex<HashMap<CompanyId, String>>,
}

/// What `keys.mjs` has made.
struct Account {
    key: Ed25519KeyPair,
    names: Names,
}

#[derive(Deserialize)]
struct Names {
    account: String,
    user: String,
}

impl Account {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let names = serde_json::from_slice(&fs::read(folder.join("names.json"))?)?;
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&fs::read(folder.join("account.der"))?)
            .context("account.der")?;
        Ok(Self { key, names })
    }

    /// A token of a user with these permissions; bearing it is enough.
    fn token(&self, permissions: &Value) -> String {
        let mut nats =
            json!({ "subs": -1, "data": -1, "payload": -1, "bearer_token": true, "type": "user", "version": 2 });
        for (name, value) in permissions.as_object().into_iter().flatten() {
            nats[name] = value.clone();
        }
        let claims =
            json!({ "jti": "loadtest", "iat": 1, "iss": self.names.account, "sub": self.names.user, "nats": nats });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), part(&claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()));
        format!("{text}.{signature}")
    }
}

impl Nats {
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self { account: Account::read(folder)?, tokens: Mutex::default() })
    }

    fn token(&self, room: &CompanyId) -> String {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let sign = || self.account.token(&json!({ "pub": { "deny": [">"] }, "sub": { "allow": [subject(room)] } }));
        tokens.entry(room.clone()).or_insert_with(sign).clone()
    }

    /// A connection that may publish to every room.
    pub(super) async fn outlet(&self, address: SocketAddr) -> anyhow::Result<Line> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut line = Line(BufReader::new(stream));
        let hello = format!("{}PING\r\n", connect(&self.account.token(&json!({}))));
        line.0.write_all(hello.as_bytes()).await?;
        line.pong().await?;
        Ok(line)
    }
}

impl Dialect for Nats {
    fn request(&self, host: &str, _: &Ticket) -> Vec<u8> {
        upgrade(host, "/", "")
    }

    fn greet(&self, ticket: &Ticket, frame: Option<&[u8]>) -> Greeting {
        let Some(frame) = frame else { return Greeting::Wait };
        if frame.starts_with(b"-ERR") {
            Greeting::Refused(String::from_utf8_lossy(frame).trim().to_owned())
        } else if frame.starts_with(b"PONG") {
            Greeting::READY
        } else if frame.starts_with(b"INFO") {
            let hello = connect(&self.token(&ticket.room));
            Greeting::Say(format!("{hello}SUB {} 1\r\nPING\r\n", subject(&ticket.room)).into_bytes())
        } else {
            Greeting::Wait
        }
    }

    fn hear<'a>(&self, frame: &'a [u8], each: &mut dyn FnMut(Heard<'a>)) {
        let mut rest = frame;
        while let Some(end) = memmem::find(rest, b"\r\n") {
            let (line, after) = (&rest[..end], &rest[end + 2..]);
            rest = after;
            if line.starts_with(b"MSG ") {
                let Some((payload, after)) = length(line).and_then(|length| after.split_at_checked(length)) else {
                    return each(Heard::Over("a message in pieces".to_owned()));
                };
                each(Heard::Event(payload));
                rest = after.strip_prefix(b"\r\n").unwrap_or(after);
            } else if line == b"PING" {
                each(Heard::Asked(Cow::Borrowed(b"PONG\r\n")));
            } else if line.starts_with(b"-ERR") {
                each(Heard::Over(String::from_utf8_lossy(line).into_owned()));
            }
        }
    }

    fn binary(&self) -> bool {
        true
    }
}

/// The last word of a `MSG` line.
fn length(line: &[u8]) -> Option<usize> {
    std::str::from_utf8(line).ok()?.rsplit(' ').next()?.parse().ok()
}

fn connect(token: &str) -> String {
    let options = json!({ "verbose": false, "pedantic": false, "echo": false, "protocol": 1, "lang": "loadtest",
        "version": "1", "jwt": token });
    format!("CONNECT {options}\r\n")
}

fn subject(room: &CompanyId) -> String {
    format!("company.{room}")
}

/// The publisher's connection, over plain TCP.
pub(super) struct Line(BufReader<TcpStream>);

impl Line {
    /// Waits until the server has taken everything that was sent.
    async fn pong(&mut self) -> anyhow::Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            anyhow::ensure!(self.0.read_line(&mut line).await? > 0, "NATS ended the publisher's connection");
            match line.trim_end() {
                "PONG" => return Ok(()),
                "PING" => self.0.write_all(b"PONG\r\n").await?,
                error if error.starts_with("-ERR") => bail!("NATS: {error}"),
                _ => {}
            }
        }
    }
}

#[async_trait]
impl Outlet for Line {
    async fn publish(&mut self, parcels: &[Parcel]) -> anyhow::Result<Vec<Cursor>> {
        let mut text = String::new();
        for Parcel { room, json } in parcels {
            text += &format!("PUB {} {}\r\n{json}\r\n", subject(room), json.len());
        }
        text += "PING\r\n";
        self.0.write_all(text.as_bytes()).await?;
        self.pong().await?;
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::peer::tests::*, *};

    fn nats() -> Nats {
        let key = Ed25519KeyPair::generate().unwrap();
        let names = Names { account: "A".to_owned(), user: "U".to_owned() };
        Nats { account: Account { key, names }, tokens: Mutex::default() }
    }

    #[test]
    fn the_token_is_brought_the_subject_asked_for_and_the_answer_awaited() {
        let nats = nats();
        let greet = |frame: &'static str| nats.greet(&ticket(), Some(frame.as_bytes()));
        let Greeting::Say(hello) = greet("INFO {\"server_id\":\"NCDQ\",\"nonce\":\"pXGjAEipk0B8EMM\"} \r\n") else {
            panic!()
        };
        let hello = String::from_utf8(hello).unwrap();
        assert!(hello.starts_with("CONNECT {"), "{hello}");
        assert!(hello.ends_with("}\r\nSUB company.load-00001 1\r\nPING\r\n"), "{hello}");
        assert_eq!(greet("PONG\r\nINFO {\"client_id\":1} \r\n"), Greeting::READY);
        let refused = Greeting::Refused("-ERR 'Authorization Violation'".to_owned());
        assert_eq!(greet("-ERR 'Authorization Violation'\r\n"), refused);
    }

    #[test]
    fn a_frame_may_hold_several_messages_and_a_ping_between_them() {
        let frame =
            b"MSG company.load-00001 1 5\r\nhello\r\nPING\r\nMSG company.load-00001 1 7\r\nwor\r\nld\r\nINFO {}\r\n";
        let ping = Heard::Asked(Cow::Borrowed(b"PONG\r\n"));
        assert_eq!(heard(&nats(), frame), [Heard::Event(b"hello"), ping, Heard::Event(b"wor\r\nld")]);
        assert!(matches!(heard(&nats(), b"MSG company.load-00001 1 9\r\nhello")[..], [Heard::Over(_)]));
    }

    #[test]
    fn a_token_allows_its_room_and_is_signed_once() {
        let nats = nats();
        let token = nats.token(&ticket().room);
        assert_eq!(token, nats.token(&ticket().room));
        let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["nats"]["sub"], json!({ "allow": ["company.load-00001"] }));
        assert_eq!((claims["iss"].as_str(), claims["nats"]["bearer_token"].as_bool()), (Some("A"), Some(true)));
    }
}

//! A few lines of HTTP/1.1, so that a test decides every byte that it sends.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::PATIENCE;

/// A request, written out as it is.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: vec![], body: vec![] }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A correct WebSocket handshake without a token.
    pub(crate) fn upgrade(path: &str) -> Self {
        Self::get(path)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a header out again.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| !header.eq_ignore_ascii_case(name));
        self
    }

    /// Another method for the same request.
    pub(crate) fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Length", &length)
    }

    /// A body whose end does not come, whatever its length was said to be.
    pub(crate) fn unfinished(mut self, beginning: &[u8]) -> Self {
        self.body = beginning.to_vec();
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    /// The request as bytes for this server.
    pub(crate) fn encode(&self, server: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let has = |name: &str| self.headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
        if !has("Host") {
            head += &format!("Host: {server}\r\n");
        }
        if !has("Connection") {
            head += "Connection: close\r\n";
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        [head.as_bytes(), &self.body].concat()
    }

    /// Sends the request on a connection of its own and reads the answer.
    pub(crate) async fn send(&self, server: SocketAddr) -> Response {
        let exchange = async {
            let mut stream = TcpStream::connect(server).await?;
            // A server may refuse a large body before it has read all of it.
            let _ = stream.write_all(&self.encode(server)).await;
            if self.method == "HEAD" {
                return Response::read_to_end(&mut stream).await;
            }
            let (response, _) = Response::read(&mut stream).await?;
            std::io::Result::Ok(response)
        };
        match timeout(PATIENCE, exchange).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => panic!("{} {}: {error}", self.method, self.path),
            Err(_) => panic!("{} {}: no answer in {PATIENCE:?}", self.method, self.path),
        }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    /// Reads an answer, and what came behind it (the first frames of an upgraded connection).
    pub(crate) async fn read(stream: &mut TcpStream) -> std::io::Result<(Self, Vec<u8>)> {
        let mut rest = Vec::new();
        let response = Self::read_next(stream, &mut rest).await?;
        Ok((response, rest))
    }

    /// Reads an answer and whatever comes behind its head, whatever length the head speaks of.
    async fn read_to_end(stream: &mut TcpStream) -> std::io::Result<Self> {
        let mut rest = Vec::new();
        let mut response = Self::read_head(stream, &mut rest).await?;
        stream.read_to_end(&mut rest).await?;
        response.body = String::from_utf8_lossy(&rest).into_owned();
        Ok(response)
    }

    /// Reads one of several answers on a connection; `rest` is what of it was read already.
    pub(crate) async fn read_next(stream: &mut TcpStream, rest: &mut Vec<u8>) -> std::io::Result<Self> {
        let mut response = Self::read_head(stream, rest).await?;
        let length = response.header("content-length").map(str::parse::<usize>);
        let body = match length {
            _ if response.status == 101 => vec![],
            _ if response.is_chunked() => read_chunked(stream, rest).await?,
            Some(length) => take(stream, rest, length.map_err(std::io::Error::other)?).await?,
            None => vec![],
        };
        response.body = String::from_utf8_lossy(&body).into_owned();
        Ok(response)
    }

    /// Reads an answer up to its body.
    pub(super) async fn read_head(stream: &mut TcpStream, rest: &mut Vec<u8>) -> std::io::Result<Self> {
        let head_end = loop {
            if let Some(at) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            more(stream, rest).await?;
        };
        let head = String::from_utf8_lossy(&rest[..head_end]).into_owned();
        rest.drain(..head_end);
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other(format!("not an answer: {head}")))?;
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        Ok(Self { status, headers, body: String::new() })
    }

    /// Whether the body comes in chunks.
    pub(super) fn is_chunked(&self) -> bool {
        self.header("transfer-encoding") == Some("chunked")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, of an answer that must be a success.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that this is a problem document (RFC 9457) with this status and code.
    pub(crate) fn expect_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.problem_code().as_str()), (status, code), "{self:?}");
    }

    /// The `code` of the problem document that this answer must be.
    pub(crate) fn problem_code(&self) -> String {
        let content_type = self.header("content-type").unwrap_or_default();
        assert!(content_type.starts_with("application/problem+json"), "not a problem document: {self:?}");
        let problem: Value = serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(problem["status"], self.status, "{self:?}");
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "no title: {self:?}");
        problem["code"].as_str().unwrap_or_else(|| panic!("no code: {self:?}")).to_owned()
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    match stream.read_buf(bytes).await? {
        0 => Err(std::io::Error::other(format!("ended after {:?}", String::from_utf8_lossy(bytes)))),
        _ => Ok(()),
    }
}

async fn take(stream: &mut TcpStream, bytes: &mut Vec<u8>, length: usize) -> std::io::Result<Vec<u8>> {
    while bytes.len() < length {
        more(stream, bytes).await?;
    }
    let rest = bytes.split_off(length);
    Ok(std::mem::replace(bytes, rest))
}

async fn read_chunked(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = read_chunk(stream, bytes).await? {
        body.extend(chunk);
    }
    Ok(body)
}

/// The next chunk of a body, `None` at its proper end.
pub(super) async fn read_chunk(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> std::io::Result<Option<Vec<u8>>> {
    let line_end = loop {
        if let Some(at) = bytes.windows(2).position(|window| window == b"\r\n") {
            break at + 2;
        }
        more(stream, bytes).await?;
    };
    let line = take(stream, bytes, line_end).await?;
    let length = usize::from_str_radix(String::from_utf8_lossy(&line).trim(), 16).map_err(std::io::Error::other)?;
    let mut chunk = take(stream, bytes, length + 2).await?;
    chunk.truncate(length);
    Ok((length > 0).then_some(chunk))
}

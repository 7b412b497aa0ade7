//! A WebSocket peer without manners: it sends the bytes that a test wants and reads the frames as they are.

use std::net::SocketAddr;

use shared::Cursor;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{Api, PATIENCE, Request, Response};

/// The opcodes of RFC 6455.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

const FIN: u8 = 0x80;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A correct, masked frame of a client.
pub(crate) fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let first = if fin { FIN | opcode as u8 } else { opcode as u8 };
    frame_with(first, payload)
}

/// A masked frame with any first byte: FIN, the reserved bits, the opcode.
pub(crate) fn frame_with(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame_head(first, payload.len() as u64);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The head of a masked frame that declares this many bytes.
pub(crate) fn frame_head(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => bytes.push(0x80 | short),
        (_, Ok(medium)) => {
            bytes.push(0x80 | 126);
            bytes.extend(medium.to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

/// A frame of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawFrame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl RawFrame {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }

    /// The code of a close frame.
    pub(crate) fn close_code(&self) -> Option<u16> {
        let code = (self.opcode == Opcode::Close as u8).then(|| self.payload.first_chunk::<2>())??;
        Some(u16::from_be_bytes(*code))
    }
}

/// An upgraded connection.
pub(crate) struct RawSession {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl RawSession {
    /// Opens a session whose `welcome` has been read.
    pub(crate) async fn open(api: &Api, token: &str) -> Self {
        Self::open_with(api, "/v1/ws", token, &[], TcpSocket::new_v4().unwrap()).await
    }

    /// Opens a session over a socket with as small a receive buffer as there can be.
    pub(crate) async fn open_narrow(api: &Api, token: &str) -> Self {
        Self::open_with(api, "/v1/ws", token, &[], narrow_socket()).await
    }

    /// Opens such a session that goes on from a cursor.
    pub(crate) async fn open_narrow_from(api: &Api, token: &str, cursor: Cursor) -> Self {
        Self::open_with(api, &format!("/v1/ws?lastEventId={cursor}"), token, &[], narrow_socket()).await
    }

    /// Opens a session and sends `first` in the same breath as the handshake.
    pub(crate) async fn open_eagerly(api: &Api, token: &str, first: &[u8]) -> Self {
        Self::open_with(api, "/v1/ws", token, first, TcpSocket::new_v4().unwrap()).await
    }

    async fn open_with(api: &Api, path: &str, token: &str, first: &[u8], socket: TcpSocket) -> Self {
        let mut session = Self { stream: connect(socket, api.public).await, unread: vec![] };
        let request = Request::upgrade(path).bearer(token).encode(api.public);
        session.send(&[&request, first].concat()).await;
        session.expect_upgrade().await;
        session
    }

    /// A connection on which nothing has been sent.
    pub(crate) async fn silent(api: &Api) -> Self {
        Self::silent_at(api.public).await
    }

    /// The same, to another listener.
    pub(crate) async fn silent_at(address: SocketAddr) -> Self {
        Self { stream: connect(TcpSocket::new_v4().unwrap(), address).await, unread: vec![] }
    }

    /// Reads the answer to a request.
    pub(crate) async fn expect_answer(&mut self) -> Response {
        let answer = timeout(PATIENCE, Response::read_next(&mut self.stream, &mut self.unread)).await;
        answer.expect("no answer").unwrap()
    }

    /// Reads the answer to a request, `None` if the connection is cut instead.
    pub(crate) async fn try_answer(&mut self) -> Option<Response> {
        let answer = timeout(PATIENCE, Response::read_next(&mut self.stream, &mut self.unread)).await;
        answer.expect("neither an answer nor the end").ok()
    }

    /// Reads the answer to a handshake, which must be 101, and the `welcome` after it.
    pub(crate) async fn expect_upgrade(&mut self) {
        let response = self.expect_answer().await;
        assert_eq!(response.status, 101, "{response:?}");
        let welcome = self.expect(Opcode::Text).await.text();
        assert!(welcome.contains("welcome"), "{welcome}");
    }

    /// Sends bytes if it still can: what the gateway has closed, it need not read.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("the gateway stopped reading");
        let _ = self.stream.flush().await;
    }

    /// Sends one byte at a time, each in a packet of its own.
    pub(crate) async fn trickle(&mut self, bytes: &[u8]) {
        self.stream.set_nodelay(true).unwrap();
        for byte in bytes {
            self.send(&[*byte]).await;
            tokio::task::yield_now().await;
        }
    }

    /// The next frame, `None` when the connection ended.
    pub(crate) async fn next(&mut self) -> Option<RawFrame> {
        loop {
            if let Some((frame, length)) = parse(&self.unread) {
                self.unread.drain(..length);
                return Some(frame);
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
            match read.unwrap_or_else(|_| panic!("neither a frame nor the end; unread {:?}", self.unread)) {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next frame, which must have this opcode.
    pub(crate) async fn expect(&mut self, opcode: Opcode) -> RawFrame {
        let frame = self.next().await.unwrap_or_else(|| panic!("a {opcode:?} was to come, not the end"));
        assert_eq!(frame.opcode, opcode as u8, "a {opcode:?} was to come, not {frame:?} {}", frame.text());
        frame
    }

    /// The code that the gateway closes with; answers it, and sees the connection end.
    pub(crate) async fn expect_close(&mut self) -> u16 {
        let close = self.expect(Opcode::Close).await;
        assert!(close.payload.len() <= 125, "{close:?}");
        self.send(&frame(true, Opcode::Close, &close.payload)).await;
        let _ = self.stream.shutdown().await;
        assert_eq!(self.next().await, None, "something came after the close frame");
        close.close_code().unwrap_or_else(|| panic!("no code: {close:?}"))
    }

    /// The code that the gateway closes with, past answers to what came before.
    pub(crate) async fn close_past_pongs(&mut self) -> Option<u16> {
        loop {
            let frame = self.next().await?;
            match frame.opcode {
                opcode if opcode == Opcode::Close as u8 => return frame.close_code(),
                opcode if opcode == Opcode::Pong as u8 || frame.text().contains("pong") => {}
                _ => panic!("neither a pong nor a close: {frame:?} {}", frame.text()),
            }
        }
    }

    /// Cuts the connection with a reset, as a crashed machine's router would.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// A socket with as small a receive buffer as there can be: what is not read soon fills it.
pub(super) fn narrow_socket() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket
}

/// Connects, or gives up.
pub(super) async fn connect(socket: TcpSocket, server: SocketAddr) -> TcpStream {
    timeout(PATIENCE, socket.connect(server)).await.expect("no connection").unwrap()
}

/// The first frame in `bytes` and its length with the head; a server's frames are never masked or fragmented here.
fn parse(bytes: &[u8]) -> Option<(RawFrame, usize)> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    assert_eq!((first & 0xf0, second & 0x80), (FIN, 0), "a server's frame is whole and unmasked: {first:x} {second:x}");
    let (length, head) = match second {
        126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).unwrap(), 10),
        short => (usize::from(short), 2),
    };
    let payload = bytes.get(head..head + length)?.to_vec();
    Some((RawFrame { opcode: first & 0x0f, payload }, head + length))
}

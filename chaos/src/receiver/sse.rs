//! Listening to Server-Sent Events.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};

use super::{Order, Plan, Reaction, Session};
use crate::defaults::{OPEN_TIMEOUT, SILENCE};

pub(super) async fn listen(
    session: &mut Session,
    plan: &Plan,
    http: &reqwest::Client,
    mut orders: watch::Receiver<Order>,
) -> Option<Duration> {
    let mut request = http.get(format!("http://{}/v1/sse", plan.address)).bearer_auth(&plan.token);
    if let Some(cursor) = session.cursor() {
        request = request.header("last-event-id", cursor.to_string());
    }
    let mut response = timeout(OPEN_TIMEOUT, request.send()).await.ok()?.ok()?.error_for_status().ok()?;
    let mut parser = Parser::default();
    let mut leave: Option<Instant> = None;
    loop {
        if orders.wait_for(|order| *order != Order::Stall).await.is_err() {
            return None;
        }
        let deadline = leave.unwrap_or_else(|| Instant::now() + SILENCE);
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                parser.bytes.extend_from_slice(&bytes);
                while let Some(data) = parser.next() {
                    if let Reaction::Move(after) = session.frame(&data) {
                        leave = Some(Instant::now() + after);
                    }
                }
            }
            Ok(Ok(None) | Err(_)) => return leave.map(|_| Duration::ZERO),
            Err(_) => return leave.map(|_| Duration::ZERO),
        }
    }
}

/// Cuts a stream into events, each ended by an empty line.
#[derive(Default)]
struct Parser {
    bytes: Vec<u8>,
    read: usize,
    data: String,
}

impl Parser {
    /// The data of the next event that has any.
    fn next(&mut self) -> Option<String> {
        while let Some(length) = self.bytes[self.read..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.bytes[self.read..self.read + length]);
            let line = line.trim_end_matches('\r');
            if let Some(data) = line.strip_prefix("data:") {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
            let complete = line.is_empty() && !self.data.is_empty();
            self.read += length + 1;
            if complete {
                return Some(std::mem::take(&mut self.data));
            }
        }
        self.bytes.drain(..std::mem::take(&mut self.read));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whole_however_the_stream_is_cut() {
        let stream = b"retry: 5\n\nid: 7-1\nevent: event\ndata: {\"a\":1}\n\n: remark\n\ndata: x\r\ndata: y\r\n\r\n";
        for size in 1..stream.len() {
            let mut parser = Parser::default();
            let mut events = vec![];
            for piece in stream.chunks(size) {
                parser.bytes.extend_from_slice(piece);
                events.extend(std::iter::from_fn(|| parser.next()));
            }
            assert_eq!(events, ["{\"a\":1}", "x\ny"]);
        }
    }
}

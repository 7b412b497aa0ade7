//! Listening on a WebSocket.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{ClientRequestBuilder, Message, protocol::WebSocketConfig},
};

use super::{Order, Plan, Reaction, Session};
use crate::defaults::{OPEN_TIMEOUT, SILENCE};

/// So small that a reader who stalls is soon felt.
const RECEIVE_BUFFER: u32 = 64 * 1024;

/// Holds some events.
const READ_BUFFER: usize = 8 * 1024;

pub(super) async fn listen(session: &mut Session, plan: &Plan, mut orders: watch::Receiver<Order>) -> Option<Duration> {
    let mut socket = timeout(OPEN_TIMEOUT, open(session, plan)).await.ok()?.ok()?;
    let mut leave: Option<Instant> = None;
    loop {
        if orders.wait_for(|order| *order != Order::Stall).await.is_err() {
            return None;
        }
        let deadline = leave.unwrap_or_else(|| Instant::now() + SILENCE);
        // Pings are answered underneath.
        match timeout_at(deadline, socket.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => {
                if let Reaction::Move(after) = session.frame(text.as_str()) {
                    leave = Some(Instant::now() + after);
                }
            }
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return None,
            Ok(Some(Ok(_))) => {}
            Err(_) => return leave.map(|_| Duration::ZERO),
        }
    }
}

async fn open(session: &Session, plan: &Plan) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let query = session.cursor().map_or(String::new(), |cursor| format!("?lastEventId={cursor}"));
    let request = ClientRequestBuilder::new(format!("ws://{}/v1/ws{query}", plan.address).parse()?)
        .with_header("authorization", format!("Bearer {}", plan.token))
        .with_sub_protocol("realtime.v1");
    let tcp = TcpSocket::new_v4()?;
    tcp.set_recv_buffer_size(RECEIVE_BUFFER)?;
    // Receivers by the ten thousand; the usual buffer would be 128 KiB for each.
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    Ok(client_async_with_config(request, tcp.connect(plan.address).await?, Some(config)).await?.0)
}

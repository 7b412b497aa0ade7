//! One direction of a proxied connection.

use std::{io, time::Duration};

use tokio::{net::TcpStream, sync::watch, time::sleep};

use super::Toxic;
use crate::defaults::PROXY_BUFFER;

/// How a direction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// One side closed.
    Closed,
    /// To be cut.
    Reset,
}

/// Carries bytes from `from` to `to` through whatever weather there is; `answers` when `from` is the server.
pub(super) async fn pump(from: &TcpStream, to: &TcpStream, mut toxic: watch::Receiver<Toxic>, answers: bool) -> End {
    let mut buffer = vec![0; PROXY_BUFFER];
    let mut left = None;
    loop {
        let now = *toxic.borrow_and_update();
        let holds = match now {
            Toxic::BlackHole => true,
            Toxic::NoAnswers => answers,
            Toxic::Reset => return End::Reset,
            _ => false,
        };
        let limit = match now {
            Toxic::CutAfter(bytes) if answers => *left.get_or_insert(bytes),
            _ => {
                left = None;
                PROXY_BUFFER
            }
        };
        if limit == 0 {
            return End::Reset;
        }
        let size = limit.min(piece(now));
        let read = tokio::select! {
            changed = toxic.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return End::Closed,
            },
            read = read(from, &mut buffer[..size]), if !holds => read,
        };
        let Ok(read @ 1..) = read else { return End::Closed };
        // What has been read is carried, whatever the weather becomes: a network does not lose parts of a stream.
        match now {
            Toxic::Delay(by) => sleep(by).await,
            Toxic::Throttle(rate) => sleep(Duration::from_secs_f64(read as f64 / rate.max(1) as f64)).await,
            _ => {}
        }
        if write(to, &buffer[..read]).await.is_err() {
            return End::Closed;
        }
        left = left.map(|left| left - read);
        if now == Toxic::Slices {
            // Let the byte travel alone.
            tokio::task::yield_now().await;
        }
    }
}

fn piece(toxic: Toxic) -> usize {
    match toxic {
        Toxic::Slices => 1,
        Toxic::Throttle(_) => 512,
        _ => PROXY_BUFFER,
    }
}

async fn read(from: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        from.readable().await?;
        match from.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            other => return other,
        }
    }
}

async fn write(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => bytes = &bytes[written?..],
        }
    }
    Ok(())
}

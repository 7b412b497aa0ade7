use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use actix_rt::net::TcpStream;
use tokio::time::timeout;

use super::Door;
use crate::defaults::{HANDSHAKE_STEP, HANDSHAKE_STEPS};

/// Counts one open socket until it is dropped, whatever way it ends.
pub struct Counted(Arc<Door>);

impl Counted {
    pub(super) fn new(door: Arc<Door>) -> Self {
        door.sockets.fetch_add(1, Ordering::AcqRel);
        Self(door)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::AcqRel);
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counted").finish_non_exhaustive()
    }
}

/// Waits for the client's first word; false when none comes in time. A step of that time in which the worker got no turn
/// does not count: who spoke meanwhile has waited, and was not slow.
pub(super) async fn speaks(stream: &TcpStream) -> bool {
    let mut left = HANDSHAKE_STEPS;
    while left > 0 {
        let since = Instant::now();
        // An error is for whoever reads.
        if timeout(HANDSHAKE_STEP, stream.readable()).await.is_ok() {
            return true;
        }
        left -= u32::from(since.elapsed() < 2 * HANDSHAKE_STEP);
    }
    false
}

#[cfg(test)]
mod tests {
    use std::{io::Write, net::TcpListener, thread, time::Duration};

    use tokio::time::sleep;

    use super::*;

    #[tokio::test]
    async fn time_without_a_turn_does_not_count() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nonblocking(true).unwrap();
        let server = TcpStream::from_std(server).unwrap();
        let out_of_breath = async {
            sleep(Duration::from_millis(10)).await;
            thread::sleep(HANDSHAKE_STEP * (HANDSHAKE_STEPS + 1));
            sleep(Duration::from_millis(300)).await;
            client.write_all(b"G").unwrap();
        };
        assert!(tokio::join!(speaks(&server), out_of_breath).0);
    }
}

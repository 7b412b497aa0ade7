//! Free ports.

use std::{
    net::{SocketAddr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the ports that the kernel hands out to outgoing connections, so that nobody takes one while its process is
/// down; a window of its own for each run of the program.
const WINDOW: (u16, u16) = (20_000, 12_000);

/// A free port on 127.0.0.1.
pub(super) fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() % u32::from(WINDOW.1)).unwrap_or_default();
    loop {
        let port = WINDOW.0 + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % WINDOW.1;
        if TcpListener::bind(local(port)).is_ok() {
            return port;
        }
    }
}

/// An address of this machine.
pub(super) fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

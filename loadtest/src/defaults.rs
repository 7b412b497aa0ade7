//! Every constant, with its reason.

use std::time::Duration;

/// `POST /v1/events` takes so many at once.
pub(crate) const BATCH: usize = 100;
/// Events that wait for a target that is away, before the day's events are given up: some hours of three companies.
pub(crate) const QUEUE: usize = 10_000;
/// How long the rest may still be sent after the last event of the day, and after Ctrl-C.
pub(crate) const FLUSH_AT_THE_END: Duration = Duration::from_secs(30);
/// Somebody waits for the prompt.
pub(crate) const FLUSH_AFTER_CTRL_C: Duration = Duration::from_secs(1);
/// A gateway answers in milliseconds; ten seconds are past every hiccup.
pub(crate) const HTTP_TIMEOUT: Duration = Duration::from_secs(10);
/// Backoff of every client here: the first bound, doubled at each failure up to the last; full jitter below it.
pub(crate) const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A longer `Retry-After` is not believed.
pub(crate) const RETRY_AFTER_CAP: Duration = Duration::from_secs(300);
/// A TCP connect, an upgrade and a welcome take milliseconds, seconds when 18,000 come at once.
pub(crate) const OPEN_TIMEOUT: Duration = Duration::from_secs(15);
/// Three heartbeats of the contract's default: after that the connection is dead.
pub(crate) const SILENCE: Duration = Duration::from_secs(75);
/// The night between two played days, in wall time.
pub(crate) const NIGHT: Duration = Duration::from_secs(2);

/// Sessions that are opened at the same time: under every accept backlog.
pub(crate) const OPENING_AT_ONCE: usize = 128;
/// Sessions per source address. Linux offers some 28,000 ports for each; those of an earlier run rest for a minute.
pub(crate) const SESSIONS_PER_ADDRESS: usize = 4_000;
/// Where the ports of a rush begin: above what servers listen on, below those that Linux gives out by itself.
pub(crate) const FIRST_PORT: u16 = 12_000;
/// File descriptors for everything that is not a session.
pub(crate) const SPARE_FDS: u64 = 200;
/// One read takes what the kernel has for a session; larger than any frame.
pub(crate) const READ_BUFFER: usize = 2 * 1024 * 1024;
/// The largest payload that is believed. The gateway's stay under 64 KiB; NATS joins what waited into one frame.
pub(crate) const MAX_PAYLOAD: usize = 1024 * 1024;
/// How often the paced publisher looks what is due. Smaller batches would cost more, larger ones smear the pace.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// Events in one publish of the paced publisher: what a pause of it piled up goes out in several.
pub(crate) const PACED_BATCH: usize = 200;
/// No delivery for so long after the last publish: what is missing now is lost.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(3);
/// A rush in which nothing happens for so long is over: a SYN that was dropped comes again after one second, then two.
pub(crate) const RUSH_GIVES_UP: Duration = Duration::from_secs(8);
/// Whoever was not let in and was not told when comes again after this, as clients of ours do at the earliest.
pub(crate) const RUSH_RETRY: Duration = Duration::from_millis(250);
/// A thread of the generator that waited less than this share of its time had no reserve, and so with the cores.
pub(crate) const RESERVE: f64 = 0.05;
/// `/proc/PID/stat` counts in this unit; it is part of Linux' ABI.
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

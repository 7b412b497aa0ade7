//! The attackers: a thread of their own, so that they wait for nobody.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::anyhow;
use rand::RngExt;
use serde::Serialize;
use shared::{CompanyId, UserId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::super::mint::Mint;
use crate::{client::Plan, system::Ticket};

/// How long an attack lasts.
const LASTS: Duration = Duration::from_secs(10);
/// How long a slow handshake goes on when nobody ends it.
const SLOW: Duration = Duration::from_secs(10);
/// Attempts under way at once.
const AT_ONCE: usize = 1_024;
/// Attackers come from these, and behave as if there were many of them.
const FIRST_ADDRESS: u8 = 100;
const ADDRESSES: usize = 100;

/// What is done to the gateway.
#[derive(Clone)]
pub(super) enum Attack {
    /// Connects, asks, and leaves.
    Storm { attempts: usize, good: String, forged: String },
    /// Never comes to the end of its request.
    Slow { connections: usize },
    /// Is let in and sends what makes no sense; comes back when it is thrown out.
    Garbage { sessions: usize, good: String },
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Toll {
    attempts: u64,
    accepted: u64,
    refused: u64,
    ended: u64,
}

impl fmt::Display for Toll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempts, accepted, refused, ended } = self;
        write!(f, "{attempts} attempts: {accepted} let in, {refused} refused, {ended} cut off")
    }
}

#[derive(Default)]
struct Counts {
    attempts: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    ended: AtomicU64,
    stop: AtomicBool,
}

/// An attack under way.
pub(super) struct Running {
    counts: Arc<Counts>,
    thread: JoinHandle<()>,
}

/// A token that is let in, to a company where nothing happens, and one that is not.
pub(super) fn tokens(mint: &Mint) -> anyhow::Result<(String, String)> {
    let good = mint.session(attackers(), UserId::parse("attacker")?)?;
    let (claims, _) = good.rsplit_once('.').ok_or_else(|| anyhow!("a token has three parts"))?;
    let forged = format!("{claims}.{}", "A".repeat(43));
    Ok((good, forged))
}

fn attackers() -> CompanyId {
    CompanyId::parse("attackers").expect("a constant that fits")
}

impl Attack {
    pub(super) fn start(self, plan: &Plan) -> anyhow::Result<Running> {
        let counts = Arc::new(Counts::default());
        let (plan, shared) = (plan.clone(), counts.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("attack".into()).spawn(move || {
            runtime.block_on(self.run(Arc::new(plan), shared));
        })?;
        Ok(Running { counts, thread })
    }

    async fn run(self, plan: Arc<Plan>, counts: Arc<Counts>) {
        let (number, span) = match &self {
            Self::Storm { attempts, .. } => (*attempts, LASTS),
            // They come within a second, and stay.
            Self::Slow { connections: number } | Self::Garbage { sessions: number, .. } => (*number, LASTS / 10),
        };
        let places = Arc::new(Semaphore::new(if matches!(self, Self::Storm { .. }) { AT_ONCE } else { number.max(1) }));
        let (begin, mut tasks) = (Instant::now(), JoinSet::new());
        for index in 0..number {
            sleep_until(begin + span.mul_f64(index as f64 / number as f64)).await;
            let Ok(place) = places.clone().acquire_owned().await else { break };
            let (attack, plan, counts) = (self.clone(), plan.clone(), counts.clone());
            tasks.spawn(async move {
                // Whatever ends an attacker ends it alone.
                let _refused = attack.one(index, &plan, &counts, begin + LASTS).await;
                drop(place);
            });
            while tasks.try_join_next().is_some() {}
        }
        while !counts.stop.load(Ordering::Relaxed) && !tasks.is_empty() {
            let _pause = timeout(Duration::from_millis(100), tasks.join_next()).await;
        }
    }

    async fn one(&self, index: usize, plan: &Plan, counts: &Counts, until: Instant) -> std::io::Result<()> {
        match self {
            Self::Storm { good, forged, .. } => {
                let mut stream = connect(index, plan.address, counts).await?;
                if index % 3 == 2 {
                    return Ok(());
                }
                let token = if index % 3 == 1 { good } else { forged };
                ask(&mut stream, plan, token, counts).await.map(drop)
            }
            Self::Slow { .. } => {
                let mut stream = connect(index, plan.address, counts).await?;
                let since = Instant::now();
                for byte in b"GET /v1/ws HTTP/1.1\r\n" {
                    if since.elapsed() > SLOW {
                        break;
                    }
                    stream.write_all(&[*byte]).await.inspect_err(|_| add(&counts.ended))?;
                    if let Ok(Ok(_)) = timeout(Duration::from_secs(1), stream.read(&mut [0; 512])).await {
                        add(&counts.ended);
                        break;
                    }
                }
                Ok(())
            }
            Self::Garbage { good, .. } => {
                while Instant::now() < until {
                    // Thrown out, it is back within a second.
                    let _refused = garbage(index, plan, good, counts, until).await;
                    sleep(Duration::from_secs(1)).await;
                }
                Ok(())
            }
        }
    }
}

async fn garbage(index: usize, plan: &Plan, token: &str, counts: &Counts, until: Instant) -> std::io::Result<()> {
    let mut stream = connect(index, plan.address, counts).await?;
    if !ask(&mut stream, plan, token, counts).await? {
        return Ok(());
    }
    while Instant::now() < until {
        stream.write_all(&nonsense(index)).await.inspect_err(|_| add(&counts.ended))?;
        if let Ok(Ok(0) | Err(_)) = timeout(Duration::from_millis(20), stream.read(&mut [0; 4096])).await {
            add(&counts.ended);
            return Ok(());
        }
    }
    Ok(())
}

/// Well-formed frames that mean nothing, broken JSON, pings, and bytes that are no frames at all.
fn nonsense(index: usize) -> Vec<u8> {
    let mut random = rand::rng();
    let text: &[u8] = match index % 4 {
        0 => b"{\"frame\":\"nonsense\"}",
        1 => b"{\"frame\":",
        2 => b"",
        _ => return (0..random.random_range(1..512)).map(|_| random.random()).collect(),
    };
    let (opcode, mask) = (if index % 4 == 2 { 0x89 } else { 0x81 }, random.random::<[u8; 4]>());
    let mut frame = vec![opcode, 0x80 | text.len() as u8];
    frame.extend(mask);
    frame.extend(text.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

async fn connect(index: usize, address: SocketAddr, counts: &Counts) -> std::io::Result<TcpStream> {
    add(&counts.attempts);
    let socket = TcpSocket::new_v4()?;
    if address.ip().is_loopback() {
        // No rest for its port afterwards: there are not enough of them.
        socket.set_zero_linger()?;
        let last = FIRST_ADDRESS + u8::try_from(index % ADDRESSES).unwrap_or_default();
        socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
    }
    match timeout(Duration::from_secs(5), socket.connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            add(&counts.refused);
            Err(error)
        }
        Err(_) => {
            add(&counts.refused);
            Err(std::io::ErrorKind::TimedOut.into())
        }
    }
}

/// Asks to be let in.
async fn ask(stream: &mut TcpStream, plan: &Plan, token: &str, counts: &Counts) -> std::io::Result<bool> {
    let ticket = Ticket { number: 0, room: attackers(), token: token.to_owned(), after: None };
    stream.write_all(&plan.dialect.request(&plan.host, &ticket)).await?;
    let mut answer = [0; 1024];
    let read = timeout(Duration::from_secs(5), stream.read(&mut answer)).await.map_err(std::io::Error::other)??;
    let accepted = answer[..read].starts_with(b"HTTP/1.1 101");
    add(if accepted { &counts.accepted } else { &counts.refused });
    Ok(accepted)
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

impl Running {
    /// Ends it.
    pub(super) fn stop(self) -> anyhow::Result<Toll> {
        self.counts.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the attack panicked"))?;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Ok(Toll {
            attempts: read(&self.counts.attempts),
            accepted: read(&self.counts.accepted),
            refused: read(&self.counts.refused),
            ended: read(&self.counts.ended),
        })
    }
}

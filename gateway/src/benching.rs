//! The path of an event through a replica, from its record to the bytes in its members' sockets, without Redis and without
//! the queues between: what the benches in `benches/` time, and what the tests below count the allocations of.

use std::{
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_rt::SystemRunner;
use bytes::BytesMut;
use clap::Parser;
use secrecy::SecretString;
use shared::{Claims, CompanyId, Cursor, EventType, Record, TypeFilter, UserId};
use tokio::time::sleep;

use crate::{
    application::Application,
    auth::{self, Identity, Verifier},
    backplane::LogSlice,
    config::{AuthConfig, Cli, KeySource},
    delivery::Delivery,
    dispatcher::{SessionId, WorkerId},
    room::{Effect, Room, Stage},
    session::{self, Member, Outbox, Sink},
    traces::Traces,
    worker::Worker,
};

const SECRET: &str = "the secret of the benches, 32 bytes";

/// An event's frame, in bytes.
const FRAME: usize = 300;

/// A room with its members' sockets, and the clients' ends of them.
pub struct Stand {
    worker: Rc<Worker>,
    company: CompanyId,
    room: Room,
    effects: Vec<Effect>,
    pending: Vec<Arc<Delivery>>,
    clients: Vec<TcpStream>,
    newest: Cursor,
    // Dropped last: the sockets are registered there.
    system: SystemRunner,
}

impl Stand {
    /// A room of so many.
    #[must_use]
    pub fn new(members: usize) -> Self {
        let system = actix_rt::System::new();
        let company = CompanyId::parse("acme").expect("a company id");
        let (worker, clients) = system.block_on(fill(company.clone(), members));
        let newest = Cursor { epoch: 1_763_800_000_000, seq: 1_000 };
        let mut stand = Self {
            worker,
            company,
            room: Room::new(Stage::Subscribing, 1 << 20),
            effects: vec![],
            pending: vec![],
            clients,
            newest,
            system,
        };
        let member = SessionId { worker: WorkerId(0), slot: 0, generation: 0 };
        stand.room.join(member, None, &mut stand.effects);
        stand.room.subscribed(&mut stand.effects);
        stand.room.log(Ok(LogSlice { top: Some(newest), events: vec![] }), &mut stand.effects);
        assert!(stand.room.is_live(), "{:?}", stand.effects);
        stand.effects.clear();
        stand
    }

    /// The record of the next event, with a frame of [`FRAME`] bytes.
    pub fn next_record(&mut self) -> String {
        self.newest.seq += 1;
        let id = self.newest;
        let head = format!(
            r#"{{"frame":"event","id":"{id}","type":"devis:signed","companyId":"acme","time":"2026-11-22T10:00:00.123Z","data":{{"pad":""#
        );
        let frame = format!("{head}{}\"}}}}", "x".repeat(FRAME - head.len() - 3));
        Record::encode(id, &EventType::parse("devis:signed").expect("an event type"), &frame)
    }

    /// Takes events that come together from their records to their members' sockets.
    pub fn carry(&mut self, records: &[String]) {
        for record in records {
            let event = Delivery::announced(record.as_bytes()).expect("a record");
            self.room.heard(Arc::new(event), &mut self.effects);
        }
        let heard = self.effects.drain(..).filter_map(|effect| match effect {
            Effect::Deliver(event) => Some(event),
            _ => None,
        });
        self.pending.extend(heard);
        assert_eq!(self.pending.len(), records.len(), "each record is the next one, and is carried");
        self.worker.deliver_part(&self.company, &self.pending, false);
        self.pending.clear();
    }

    /// Reads what the clients were sent; how many bytes.
    pub fn drain(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        let mut total = 0;
        for client in &mut self.clients {
            loop {
                match client.read(&mut buffer) {
                    Ok(read) if read > 0 => total += read,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    other => panic!("a member was closed: {other:?}"),
                }
            }
        }
        // The sockets are known to be writable again, and timers run.
        self.system.block_on(tokio::task::yield_now());
        total
    }
}

/// A worker with sessions that were let in and have read their welcome, and the clients' ends.
async fn fill(company: CompanyId, members: usize) -> (Rc<Worker>, Vec<TcpStream>) {
    let line = ["gateway", "--jwt-secret", SECRET, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let config = Cli::parse_from(line).serve;
    let application = Application::build(config, Traces::default()).expect("a replica");
    let worker = Worker::start(application.app());
    let (mut clients, mut seated) = (vec![], vec![]);
    for number in 0..members {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        clients.push(TcpStream::connect(listener.local_addr().expect("its address")).expect("a connection"));
        let (stream, _) = listener.accept().expect("the other end");
        stream.set_nonblocking(true).expect("a socket");
        let stream = actix_rt::net::TcpStream::from_std(stream).expect("a socket");
        stream.writable().await.expect("an empty socket");
        let identity = Identity::of(claims(&company, number)).expect("one company");
        let places = worker.app.admit(&identity).await.expect("a place");
        let sink = Sink::Socket(Outbox::new(stream));
        let member = Rc::new(Member::new(&worker, sink, identity, TypeFilter::new(None, None), places));
        worker.registry.join(member.clone(), None, None);
        seated.push(member);
    }
    while seated.iter().any(|member| member.stage.get() != session::Stage::In) {
        sleep(Duration::from_millis(1)).await;
    }
    for client in &mut clients {
        let mut welcome = [0; 1024];
        assert!(client.read(&mut welcome).expect("a welcome") > 0);
        client.set_nonblocking(true).expect("a socket");
    }
    (worker, clients)
}

fn claims(company: &CompanyId, number: usize) -> Claims {
    let user = UserId::parse(&format!("user-{number}")).expect("a user id");
    let claims =
        serde_json::json!({ "sub": user, "companyId": company, "exp": 4_000_000_000_u64, "iat": 1_763_800_000 });
    serde_json::from_value(claims).expect("claims")
}

/// A token, and what checks it.
#[must_use]
pub fn token() -> (Verifier, String) {
    let secret = SecretString::from(SECRET);
    let company = CompanyId::parse("acme").expect("a company id");
    let token = auth::sign(&claims(&company, 1), &secret).expect("a token");
    (Verifier::new(&KeySource::Secret(secret), &AuthConfig::default()).expect("a verifier"), token)
}

/// A client's `ping`, masked as a client must.
#[must_use]
pub fn ping() -> Vec<u8> {
    let (mask, text) = ([7, 21, 42, 99], br#"{"frame":"ping"}"#);
    let mut frame = vec![0x81, 0x80 | text.len() as u8];
    frame.extend_from_slice(&mask);
    frame.extend(text.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Reads a client's frames; how many texts they are.
pub fn frames(bytes: &mut BytesMut) -> usize {
    session::count_messages(bytes)
}

/// Allocations, kept here so that whoever adds one to the hot path sees it. They are exact: where one falls, lower it.
#[cfg(test)]
mod tests {
    use super::*;

    /// An event, whoever gets it: four for its type, its frame and what shares them; one for the list of pieces to write.
    const EVENT: u64 = 5;
    /// Ten events that are written as one: of each the first four; the joined piece, and the list.
    const TEN_EVENTS: u64 = 42;
    /// A token: its header is read twice, by us and by the library.
    const TOKEN: u64 = 14;
    /// A client's message.
    const MESSAGE: u64 = 2;

    fn allocations(work: impl FnOnce()) -> u64 {
        allocation_counter::measure(work).count_total
    }

    /// Of one event, or of several at once, to so many members.
    fn carrying(members: usize, events: usize) -> u64 {
        let mut stand = Stand::new(members);
        let batch = |stand: &mut Stand| (0..events).map(|_| stand.next_record()).collect::<Vec<_>>();
        // The first ones make room in what stays.
        for _ in 0..100 {
            let records = batch(&mut stand);
            stand.carry(&records);
            stand.drain();
        }
        let records = batch(&mut stand);
        let allocations = allocations(|| stand.carry(&records));
        assert_eq!(stand.drain(), members * events * (FRAME + 4), "every member has it");
        allocations
    }

    #[test]
    fn members_cost_no_allocations() {
        assert_eq!((carrying(1, 1), carrying(100, 1)), (EVENT, EVENT));
        assert_eq!((carrying(1, 10), carrying(100, 10)), (TEN_EVENTS, TEN_EVENTS));
    }

    #[test]
    fn strangers_cost_few_allocations() {
        let (verifier, token) = super::token();
        assert!(verifier.verify(&token).is_ok());
        let token = allocations(|| drop(verifier.verify(&token)));
        let mut bytes = BytesMut::from(&ping()[..]);
        let message = allocations(|| assert_eq!(frames(&mut bytes), 1));
        assert_eq!((token, message), (TOKEN, MESSAGE));
    }
}

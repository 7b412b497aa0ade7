//! Two gateways on one Redis are one service.

use publisher::Publisher;
use shared::{CompanyId, Cursor, Resume, events::FacturePaid};

use crate::support::{Client, Gateway, Launch, Redis, Token, n};

const COMPANIES: [&str; 3] = ["acme", "bati-plus", "Chauffage_9"];
const EVENTS: i64 = 1_000;

struct Pair {
    a: Gateway,
    b: Gateway,
    redis: Redis,
}

impl Pair {
    async fn start() -> Self {
        let redis = Redis::start().await;
        Self { a: Launch::new().redis(&redis).start().await, b: Launch::new().redis(&redis).start().await, redis }
    }
}

fn paid(number: i64) -> FacturePaid {
    FacturePaid {
        facture_id: format!("f-{number}"),
        number: format!("F-2026-{number}"),
        client_id: "c-1".to_owned(),
        client_name: "Mme Lefèvre".to_owned(),
        amount_cents: number,
        method: shared::events::PaymentMethod::Transfer,
        paid_at: chrono::Utc::now(),
    }
}

#[tokio::test]
async fn each_session_on_either_gateway_has_exactly_its_companys_events() {
    let pair = Pair::start().await;
    let mut sessions: Vec<(usize, Client)> = vec![];
    for (index, company) in COMPANIES.iter().enumerate() {
        for gateway in [&pair.a, &pair.a, &pair.b] {
            sessions.push((index, gateway.connect(&Token::user(company, "anna").sign()).await));
        }
    }

    let publisher = Publisher::connect(&pair.redis.url()).unwrap();
    let mut expected: [Vec<(Cursor, i64)>; 3] = [vec![], vec![], vec![]];
    for number in 0..EVENTS {
        // An uneven mixture: no company's turn can be told from the last one's.
        let index = usize::try_from(number * number % 7 % 3).unwrap();
        let company = CompanyId::parse(COMPANIES[index]).unwrap();
        let published = publisher.publish(&company, paid(number)).await.unwrap();
        expected[index].push((published.id, number));
    }

    assert!(expected.iter().all(|events| events.len() > 100), "each company has its share");
    for (index, session) in &mut sessions {
        for (id, number) in &expected[*index] {
            let event = session.event().await;
            let amount = event.data["amountCents"].as_i64();
            assert_eq!((event.company_id.as_str(), event.id, amount), (COMPANIES[*index], *id, Some(*number)));
        }
    }
    // Each now has its company's last event; a marker shows that nothing else stood behind it.
    for (index, company) in COMPANIES.iter().enumerate() {
        let marker = publisher.publish(&CompanyId::parse(company).unwrap(), paid(-1)).await.unwrap().id;
        for (_, session) in sessions.iter_mut().filter(|(of, _)| *of == index) {
            assert_eq!(session.event().await.id, marker);
        }
    }
}

#[tokio::test]
async fn a_session_that_drops_resumes_on_the_other_gateway() {
    let pair = Pair::start().await;
    let token = Token::user("acme", "anna").sign();
    let mut anna = pair.a.connect(&token).await;
    pair.b.publish_numbered("acme", 0..5).await;
    let seen = anna.events(5).await[4].id;

    drop(anna);
    let missed = pair.a.publish_numbered("acme", 5..130).await;
    let mut anna = pair.b.connect_from(&token, seen).await;
    pair.a.publish_numbered("acme", 130..135).await;

    assert_eq!((anna.welcome.resume, anna.welcome.last_event_id), (Resume::Recovered, seen));
    assert_eq!(anna.events(130).await.iter().map(n).collect::<Vec<_>>(), (5..135).collect::<Vec<_>>());

    // Back again on the first, which has not held this room for a while.
    drop(anna);
    let mut anna = pair.a.connect_from(&token, *missed.last().unwrap()).await;
    assert_eq!(anna.welcome.resume, Resume::Recovered);
    assert_eq!(anna.events(5).await.iter().map(n).collect::<Vec<_>>(), (130..135).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_gateway_that_dies_costs_its_sessions_nothing() {
    let pair = Pair::start().await;
    let token = Token::user("acme", "anna").sign();
    let mut anna = pair.a.connect(&token).await;
    pair.b.publish_numbered("acme", 0..50).await;
    let seen = anna.events(20).await[19].id;

    // The child is killed when it is let go of.
    drop(pair.a);
    pair.b.publish_numbered("acme", 50..60).await;
    let mut anna = pair.b.connect_from(&token, seen).await;

    assert_eq!(anna.welcome.resume, Resume::Recovered);
    assert_eq!(anna.events(40).await.iter().map(n).collect::<Vec<_>>(), (20..60).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_same_event_published_through_both_is_stored_once() {
    let pair = Pair::start().await;
    let mut anna = pair.a.connect(&Token::user("acme", "anna").sign()).await;
    let mut body = crate::support::event("acme", "devis:signed", 1);
    body["eventId"] = serde_json::json!("once");

    let (a, b) = tokio::join!(pair.a.publish_all(&body), pair.b.publish_all(&body));

    assert_eq!(a[0].0, b[0].0);
    assert_ne!(a[0].1, b[0].1, "exactly one of them was first");
    pair.a.publish_numbered("acme", 2..3).await;
    assert_eq!(anna.events(2).await.iter().map(n).collect::<Vec<_>>(), [1, 2]);
}

//! An event reaches every session of its company, in order, once, and nobody else.

use serde_json::json;
use shared::Resume;

use crate::support::{Backplane, Token, event, n, on_both_backplanes};

on_both_backplanes![
    welcome_says_where_the_session_stands,
    every_session_of_the_company_receives_in_order,
    sessions_of_another_company_receive_nothing,
    an_event_travels_unchanged,
    a_type_that_the_gateway_does_not_know_is_forwarded,
    the_same_event_id_is_delivered_once,
    a_batch_is_delivered_in_its_order,
    an_event_as_large_as_allowed_is_delivered,
];

async fn welcome_says_where_the_session_stands(backplane: Backplane) {
    let site = backplane.start().await;
    let newest = *site.publish_numbered("acme", 0..3).await.last().unwrap();
    let expiry = chrono::Utc::now() + chrono::TimeDelta::seconds(1800);

    let anna = site.connect(&Token::user("acme", "anna").expires_in(1800).sign()).await;
    let again = site.connect(&Token::user("acme", "anna").sign()).await;

    assert_eq!(anna.welcome.company_id.as_str(), "acme");
    assert_eq!(anna.welcome.resume, Resume::Fresh);
    assert_eq!(anna.welcome.last_event_id, newest);
    assert_eq!(anna.welcome.heartbeat_ms, 25_000);
    assert!((anna.welcome.token_expires_at - expiry).num_seconds().abs() <= 5, "{:?}", anna.welcome);
    assert!(!anna.welcome.session.is_empty());
    assert_ne!(anna.welcome.session, again.welcome.session, "each session has an id of its own");
}

async fn every_session_of_the_company_receives_in_order(backplane: Backplane) {
    let site = backplane.start().await;
    let mut sessions = vec![];
    for user in ["anna", "anna", "bruno", "chloé", "david"] {
        sessions.push(site.connect(&Token::user("acme", user).sign()).await);
    }

    let cursors = site.publish_numbered("acme", 0..250).await;

    for session in &mut sessions {
        let events = session.events(250).await;
        assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), cursors);
        assert_eq!(events.iter().map(n).collect::<Vec<_>>(), (0..250).collect::<Vec<_>>());
    }
    assert_eq!(cursors[0].seq, 1);
    assert!(cursors.windows(2).all(|pair| pair[1].follows(pair[0])), "a hole in {cursors:?}");
}

async fn sessions_of_another_company_receive_nothing(backplane: Backplane) {
    let site = backplane.start().await;
    // Names that a careless prefix, a glob or a careless case would confuse.
    let companies = ["acme", "acme2", "Acme", "acm", "acme-", "a_me"];
    let mut sessions = vec![];
    for company in companies {
        sessions.push(site.connect(&Token::user(company, "anna").sign()).await);
    }

    for round in 0..10 {
        for (number, company) in (0..).zip(companies) {
            site.publish(&event(company, "devis:signed", round * 100 + number)).await;
        }
    }

    for (number, (session, company)) in (0..).zip(sessions.iter_mut().zip(companies)) {
        for round in 0..10 {
            let event = session.event().await;
            assert_eq!((event.company_id.as_str(), n(&event)), (company, round * 100 + number));
        }
    }
}

async fn an_event_travels_unchanged(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let data = json!({
        "clientName": "Mme Lefèvre 🔧 \u{2028} \"quoted\" \\ \n\t</script>",
        "amountCents": 9_007_199_254_740_993_i64,
        "negative": -0.125,
        "nothing": null,
        "nested": [[[{"": [true, false]}]], "1 1-1 devis:signed {}"],
    });

    let id = site
        .publish(&json!({
            "companyId": "acme", "type": "devis:created", "data": data, "time": "2026-11-22T10:00:00.123Z",
        }))
        .await;

    let event = anna.event().await;
    assert_eq!((event.id, event.r#type.as_str()), (id, "devis:created"));
    assert_eq!(event.time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true), "2026-11-22T10:00:00.123Z");
    assert_eq!(event.data, data);
}

async fn a_type_that_the_gateway_does_not_know_is_forwarded(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;

    site.publish(&event("acme", "stock-item_7:moved", 1)).await;

    assert_eq!(anna.event().await.r#type.as_str(), "stock-item_7:moved");
}

async fn the_same_event_id_is_delivered_once(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let mut bruno = site.connect(&Token::user("other", "bruno").sign()).await;
    let mut signed = event("acme", "devis:signed", 1);
    signed["eventId"] = json!("devis-41.signed:1");

    let first = site.publish_all(&signed).await;
    let second = site.publish_all(&signed).await;
    let within_a_batch = site.publish_all(&json!([event("acme", "devis:signed", 2), signed])).await;
    signed["companyId"] = json!("other");
    let elsewhere = site.publish_all(&signed).await;

    let id = first[0].0;
    assert_eq!((first, second, within_a_batch[1]), (vec![(id, false)], vec![(id, true)], (id, true)));
    assert_eq!(anna.events(2).await.iter().map(n).collect::<Vec<_>>(), [1, 2]);
    assert!(!elsewhere[0].1, "an event id counts within one company");
    assert_eq!(bruno.event().await.id, elsewhere[0].0);
    site.publish(&event("acme", "devis:signed", 3)).await;
    assert_eq!(n(&anna.event().await), 3);
}

async fn a_batch_is_delivered_in_its_order(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let mut bruno = site.connect(&Token::user("bati", "bruno").sign()).await;
    let batch: Vec<_> = (0..100).map(|i| event(if i % 3 == 0 { "bati" } else { "acme" }, "devis:signed", i)).collect();

    let results = site.publish_all(&json!(batch)).await;

    assert_eq!(results.len(), 100);
    for number in 0..100_u64 {
        let session = if number % 3 == 0 { &mut bruno } else { &mut anna };
        let event = session.event().await;
        assert_eq!((n(&event), event.id), (number, results[usize::try_from(number).unwrap()].0));
    }
}

async fn an_event_as_large_as_allowed_is_delivered(backplane: Backplane) {
    let site = backplane.start().await;
    let mut anna = site.connect(&Token::user("acme", "anna").sign()).await;
    let text = "é".repeat((shared::MAX_EVENT_BYTES - 300) / 2);

    site.publish(&json!({ "companyId": "acme", "type": "message:received", "data": { "text": text } })).await;

    assert_eq!(anna.event().await.data["text"], text);
}

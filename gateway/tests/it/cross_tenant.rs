//! Two companies on one gateway, and every way that one of them might try to see, or touch, what is the other's.

use serde_json::json;
use shared::{CloseCode, Cursor, ServerFrame};

use crate::support::{Backplane, Request, Site, Stream, Token, event, n, on_both_backplanes};

on_both_backplanes![
    whatever_a_listener_asks_for_it_hears_its_own_company,
    a_cursor_of_another_company_shows_nothing_of_it,
    what_would_reach_into_another_company_is_refused_and_counted,
    a_session_cannot_move_to_another_company,
    names_that_are_almost_the_same_are_not,
];

fn anna() -> Token {
    Token::user("acme", "anna")
}

/// Numbers of `other` are 100 and more.
async fn publish_to_both(site: &Site, number: u64) {
    let both = [event("other", "devis:signed", 100 + number), event("acme", "devis:signed", number)];
    site.publish_all(&json!(both)).await;
}

/// Attempts in the query or the headers; what they ask for is not refused, it is simply not there to ask for.
const ATTEMPTS: [(&str, &str, &str); 16] = [
    ("companyId=other", "", ""),
    ("company=other", "", ""),
    ("company_id=other", "", ""),
    ("companyId=*", "", ""),
    ("companyId=acme&companyId=other", "", ""),
    ("room=company:other", "", ""),
    ("channel=company:other", "", ""),
    ("tenant=other", "", ""),
    ("sub=other&aud=other", "", ""),
    ("types=*", "", ""),
    ("types=devis:*&companyId=other", "", ""),
    ("", "X-Company-Id", "other"),
    ("", "X-Tenant", "other"),
    ("", "Cookie", "companyId=other"),
    ("", "X-Forwarded-User", "bruno@other"),
    ("", "X-Original-URL", "/v1/events?companyId=other"),
];

fn attempt(path: &str, more: &str, (query, name, value): (&str, &str, &str)) -> Request {
    let path = format!("{path}?{query}{}{more}", if query.is_empty() { "" } else { "&" });
    let request = if path.starts_with("/v1/ws") { Request::upgrade(&path) } else { Request::get(&path) };
    let request = request.bearer(&anna().sign());
    if name.is_empty() { request } else { request.header(name, value) }
}

async fn whatever_a_listener_asks_for_it_hears_its_own_company(backplane: Backplane) {
    let site = backplane.start().await;
    publish_to_both(&site, 0).await;
    let start = site.poll_fresh(&anna().sign()).await;
    let (mut sockets, mut streams) = (vec![], vec![]);
    for tried in ATTEMPTS {
        let (query, name, value) = tried;
        let token = format!("Bearer {}", anna().sign());
        let mut headers = vec![("Authorization", token.as_str())];
        headers.extend((!name.is_empty()).then_some((name, value)));
        sockets.push(crate::support::Client::open(site.public, &format!("/v1/ws?{query}"), &headers).await);
        streams.push(Stream::open(&site, attempt("/v1/sse", "", tried)).await);
    }

    publish_to_both(&site, 1).await;
    publish_to_both(&site, 2).await;

    for ((tried, socket), stream) in ATTEMPTS.iter().zip(&mut sockets).zip(&mut streams) {
        assert_eq!((socket.welcome.company_id.as_str(), stream.company_id.as_str()), ("acme", "acme"), "{tried:?}");
        for number in 1..=2 {
            assert_eq!((n(&socket.event().await), n(&stream.event().await)), (number, number), "{tried:?}");
        }
        let after = format!("wait=0&lastEventId={start}");
        let polled = site.send(attempt("/v1/poll", &after, *tried)).await;
        let painted = site.send(attempt("/v1/events", "limit=9", *tried)).await;
        for (answer, count) in [(polled, 2), (painted, 3)] {
            let events = answer.json()["events"].as_array().unwrap().clone();
            assert_eq!(events.len(), count, "{tried:?}: {answer:?}");
            assert!(events.iter().all(|event| event["companyId"] == "acme"), "{tried:?}: {answer:?}");
        }
    }
}

async fn a_cursor_of_another_company_shows_nothing_of_it(backplane: Backplane) {
    let site = backplane.start().await;
    let theirs = site.publish_numbered("other", 100..110).await;
    let ours = site.publish_numbered("acme", 0..5).await;
    let first_epoch = Cursor { seq: 1, ..theirs[0] };
    // Where they were, where they are, what they will have, and our places in their epoch and theirs in ours.
    let cursors = [
        theirs[0],
        theirs[9],
        first_epoch,
        Cursor { seq: 11, ..theirs[0] },
        Cursor { seq: ours[4].seq, ..theirs[0] },
        Cursor { seq: theirs[9].seq, ..ours[0] },
        Cursor { epoch: 0, seq: 1 },
        Cursor { epoch: u64::MAX, seq: u64::MAX },
    ];
    for cursor in cursors {
        let mut socket = site.connect_from(&anna().sign(), cursor).await;
        let mut stream = site.stream_from(&anna().sign(), cursor).await;
        let polled = site.poll_now(cursor, &anna().sign()).await;
        assert!(polled.events.iter().all(|event| event.company_id.as_str() == "acme"), "{cursor}: {polled:?}");
        publish_to_both(&site, 50).await;
        // What may be recovered is our own; the new event ends it.
        loop {
            let event = socket.event().await;
            assert_eq!(event.company_id.as_str(), "acme", "{cursor}");
            if n(&event) == 50 {
                break;
            }
        }
        loop {
            let event = stream.event().await;
            assert_eq!(event.company_id.as_str(), "acme", "{cursor}");
            if n(&event) == 50 {
                break;
            }
        }
        let last = site.poll_fresh(&anna().sign()).await;
        assert_eq!(last.epoch, ours[0].epoch, "the place that it is given is its own");
    }
    for injected in ["*", "0-0\r\nX-Company-Id: other", "company:other", "-", "+", "$", "(0-0", "0-0 COUNT 1"] {
        let encoded: String = injected.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for path in ["sse", "poll", "ws"] {
            let path = format!("/v1/{path}?lastEventId={encoded}");
            let request = if path.starts_with("/v1/ws") { Request::upgrade(&path) } else { Request::get(&path) };
            site.send(request.bearer(&anna().sign())).await.expect_problem(400, "invalid_cursor");
        }
    }
}

async fn what_would_reach_into_another_company_is_refused_and_counted(backplane: Backplane) {
    let site = backplane.start().await;
    let mut witness = site.connect(&Token::user("other", "zoe").sign()).await;
    let (service, admin) = (Token::service("acme").sign(), Token::admin("acme").sign());
    let foreign = event("other", "devis:signed", 666);
    let batch = json!([event("acme", "devis:signed", 1), foreign]);
    let everywhere = Token::user("*", "anna").sign();

    for (path, token, body) in [
        ("/v1/events", &service, &foreign),
        ("/v1/events", &service, &batch),
        ("/v1/events?companyId=other", &service, &foreign),
        ("/v1/events", &anna().sign(), &foreign),
        ("/v1/revocations", &admin, &json!({ "companyId": "other" })),
        ("/v1/revocations", &admin, &json!({ "companyId": "other", "userId": "zoe" })),
        ("/v1/revocations", &admin, &json!({ "companyId": "other", "jti": "t" })),
        ("/v1/revocations", &anna().sign(), &json!({ "companyId": "acme" })),
    ] {
        site.post(path, token, body).await.expect_problem(403, "forbidden");
    }
    for path in ["/v1/sse", "/v1/poll?wait=0", "/v1/events", "/v1/sse?companyId=other", "/v1/events?companyId=other"] {
        site.get(path, &everywhere).await.expect_problem(403, "forbidden");
    }
    site.knock(&everywhere).await.expect_problem(403, "forbidden");
    let counted = site.metric("gateway_handshakes_rejected_total{reason=\"forbidden\"}").await;
    assert_eq!(counted, 14.0, "each was counted, once");

    for path in [
        "/v1/events/other",
        "/v1/events/../other",
        "/v1/events;companyId=other",
        "/v1//events",
        "/v1/company/other/events",
    ] {
        let answer = site.get(path, &anna().sign()).await;
        assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
    }
    site.publish(&event("other", "devis:signed", 7)).await;
    assert_eq!(n(&witness.event().await), 7, "it was disturbed, or heard what is not its own");
}

async fn a_session_cannot_move_to_another_company(backplane: Backplane) {
    let site = backplane.start().await;
    for (other, result) in [
        (Token::user("other", "anna"), "somebody_else"),
        (Token::user("acme", "bruno"), "somebody_else"),
        (Token::user("*", "anna"), "somebody_else"),
        (Token::user("company:*", "anna"), "token_malformed"),
    ] {
        let before = site.metric(&format!("gateway_renewals_total{{result=\"{result}\"}}")).await;
        let mut session = site.connect(&anna().sign()).await;
        session.send(&json!({ "frame": "auth", "token": other.sign() })).await;
        publish_to_both(&site, 1).await;
        let code = loop {
            match session.next().await {
                crate::support::Incoming::Close(code) => break code,
                crate::support::Incoming::Frame(ServerFrame::Event(event)) => {
                    assert_eq!(event.company_id.as_str(), "acme", "{other:?}");
                }
                other => panic!("{other:?}"),
            }
        };
        let expected = if result == "somebody_else" { CloseCode::Forbidden } else { CloseCode::TokenExpired };
        assert_eq!(code, expected.code(), "{other:?}");
        site.metric_becomes(&format!("gateway_renewals_total{{result=\"{result}\"}}"), before + 1.0).await;
    }
    // What else a client may say moves it nowhere.
    let mut session = site.connect(&anna().sign()).await;
    for frame in [
        json!({ "frame": "subscribe", "companyId": "other" }),
        json!({ "frame": "auth", "token": anna().sign(), "companyId": "other" }),
        json!({ "frame": "ping", "companyId": "other" }),
    ] {
        session.send(&frame).await;
    }
    publish_to_both(&site, 2).await;
    loop {
        match session.frame().await {
            ServerFrame::Event(event) => break assert_eq!((n(&event), event.company_id.as_str()), (2, "acme")),
            ServerFrame::Error { .. } | ServerFrame::Pong {} => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn names_that_are_almost_the_same_are_not(backplane: Backplane) {
    let site = backplane.start().await;
    let names = ["acme", "Acme", "ACME", "acme-", "acme_", "acme1", "acm", "log", "idem", "a".repeat(64).leak()];
    let mut sessions = vec![];
    for name in names {
        sessions.push(site.connect(&Token::user(name, "anna").sign()).await);
    }
    let events: Vec<_> = (0..).zip(names).map(|(number, name)| event(name, "devis:signed", number)).collect();
    for _ in 0..2 {
        site.publish_all(&json!(events)).await;
    }
    for (number, session) in (0..).zip(&mut sessions) {
        assert_eq!(session.events(2).await.iter().map(n).collect::<Vec<_>>(), [number, number]);
    }
}

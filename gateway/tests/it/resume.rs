//! A session that comes back gets exactly what it missed, or is told once that this cannot be proven.

use shared::{Cursor, Resume};

use crate::support::{Backplane, Client, Request, Site, Token, event, n, on_both_backplanes};

on_both_backplanes![
    a_session_that_drops_gets_exactly_what_it_missed,
    a_session_with_nothing_to_catch_up_is_recovered,
    a_session_welcomed_to_an_empty_log_misses_nothing,
    a_cursor_of_an_unknown_epoch_is_lost_once,
    a_cursor_ahead_of_the_log_is_lost_once,
    a_trimmed_cursor_is_lost_once,
    the_oldest_cursor_that_is_still_whole_is_recovered,
    another_companys_cursor_brings_nothing_of_it,
    the_largest_cursor_there_can_be_is_lost_and_harms_nobody,
    a_malformed_cursor_is_refused,
];

async fn a_session_that_drops_gets_exactly_what_it_missed(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    let mut anna = site.connect(&token).await;
    site.publish_numbered("acme", 0..5).await;
    let seen = anna.events(5).await[4].id;

    drop(anna);
    site.publish_numbered("acme", 5..155).await;
    let mut anna = site.connect_from(&token, seen).await;
    site.publish_numbered("acme", 155..160).await;

    assert_eq!((anna.welcome.resume, anna.welcome.last_event_id), (Resume::Recovered, seen));
    assert_eq!(anna.events(155).await.iter().map(n).collect::<Vec<_>>(), (5..160).collect::<Vec<_>>());
}

async fn a_session_with_nothing_to_catch_up_is_recovered(backplane: Backplane) {
    let site = backplane.start().await;
    let newest = *site.publish_numbered("acme", 0..3).await.last().unwrap();

    let mut anna = site.connect_from(&Token::user("acme", "anna").sign(), newest).await;
    site.publish_numbered("acme", 3..4).await;

    assert_eq!((anna.welcome.resume, anna.welcome.last_event_id), (Resume::Recovered, newest));
    assert_eq!(n(&anna.event().await), 3);
}

async fn a_session_welcomed_to_an_empty_log_misses_nothing(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    let start = site.connect(&token).await.welcome.last_event_id;

    let still_empty = site.connect_from(&token, start).await;
    // An empty log's cursor is the second, which may have passed.
    let stands_at_start = |session: &Client| {
        let place = session.welcome.last_event_id;
        assert_eq!((session.welcome.resume, place.seq), (Resume::Recovered, 0));
        assert!(place >= start, "{place} after {start}");
    };
    stands_at_start(&still_empty);
    site.publish_numbered("acme", 0..3).await;
    let mut anna = site.connect_from(&token, start).await;

    stands_at_start(&anna);
    assert_eq!(anna.events(3).await.iter().map(n).collect::<Vec<_>>(), [0, 1, 2]);
}

async fn a_cursor_of_an_unknown_epoch_is_lost_once(backplane: Backplane) {
    let site = backplane.start().await;
    let mut newest = *site.publish_numbered("acme", 0..5).await.last().unwrap();
    for epoch in [1, newest.epoch - 1, newest.epoch + 1, u64::MAX] {
        newest = expect_lost_once(&site, Cursor { epoch, seq: 3 }, newest).await;
    }
}

async fn a_cursor_ahead_of_the_log_is_lost_once(backplane: Backplane) {
    let site = backplane.start().await;
    let mut newest = *site.publish_numbered("acme", 0..5).await.last().unwrap();
    for seq in [newest.seq + 1_000, u64::MAX] {
        newest = expect_lost_once(&site, Cursor { seq, ..newest }, newest).await;
    }
    let next = Cursor { seq: newest.seq + 1, ..newest };
    expect_lost_once(&site, next, newest).await;
}

async fn a_trimmed_cursor_is_lost_once(backplane: Backplane) {
    let site = backplane.start().await;
    let cursors = site.publish_numbered("acme", 0..1_400).await;
    expect_lost_once(&site, cursors[0], cursors[1_399]).await;
}

async fn the_oldest_cursor_that_is_still_whole_is_recovered(backplane: Backplane) {
    let site = backplane.start().await;
    let cursors = site.publish_numbered("acme", 0..1_400).await;

    // The log holds the newest 1,000 at least, so the place before the oldest of them is known.
    let mut anna = site.connect_from(&Token::user("acme", "anna").sign(), cursors[399]).await;

    assert_eq!(anna.welcome.resume, Resume::Recovered);
    assert_eq!(anna.events(1_000).await.iter().map(n).collect::<Vec<_>>(), (400..1_400).collect::<Vec<_>>());
}

async fn another_companys_cursor_brings_nothing_of_it(backplane: Backplane) {
    let site = backplane.start().await;
    let foreign = site.publish_numbered("other", 1_000..1_010).await;
    let own = site.publish_numbered("acme", 0..2).await;

    let mut anna = site.connect_from(&Token::user("acme", "anna").sign(), foreign[3]).await;
    site.publish(&event("other", "devis:signed", 1_010)).await;
    site.publish(&event("acme", "devis:signed", 2)).await;

    // Two logs may have been born in the same millisecond; the cursor then happens to be ahead of the own log.
    assert_eq!((anna.welcome.resume, anna.welcome.last_event_id), (Resume::Lost, own[1]));
    let event = anna.event().await;
    assert_eq!((event.company_id.as_str(), n(&event)), ("acme", 2));
}

async fn the_largest_cursor_there_can_be_is_lost_and_harms_nobody(backplane: Backplane) {
    let site = backplane.start().await;
    let largest = Cursor { epoch: u64::MAX, seq: u64::MAX };
    for (company, events) in [("acme", 5), ("empty", 0)] {
        let token = Token::user(company, "anna").sign();
        site.publish_numbered(company, 0..events).await;
        // It is the first in its room, then one among others.
        let mut first = site.connect_from(&token, largest).await;
        let mut witness = site.connect(&token).await;
        let mut second = site.connect_from(&token, largest).await;
        let mut stream = site.stream_from(&token, largest).await;
        assert_eq!([first.welcome.resume, second.welcome.resume, stream.resume], [Resume::Lost; 3], "{company}");
        assert_eq!(site.poll_now(largest, &token).await.resume, Resume::Lost, "{company}");
        let places = [first.welcome.last_event_id, second.welcome.last_event_id, stream.last_event_id];
        assert!(places.iter().all(|place| place.seq == events && place.epoch < u64::MAX), "{places:?}");

        for number in events..events + 3 {
            site.publish_numbered(company, number..number + 1).await;
            for session in [&mut first, &mut witness, &mut second] {
                assert_eq!(n(&session.event().await), number, "{company}");
            }
            assert_eq!(n(&stream.event().await), number, "{company}");
        }
    }
    assert!(site.metric("gateway_resyncs_total").await < 0.5, "somebody was told of a loss that was none");
}

async fn a_malformed_cursor_is_refused(backplane: Backplane) {
    let site = backplane.start().await;
    let token = Token::user("acme", "anna").sign();
    for cursor in ["x", "12", "-", "1-", "-1", "1-x", "1-2-3", "0x1-1", "1-18446744073709551616", "%2B1-1", "1-1%0a"] {
        let request = Request::upgrade(&format!("/v1/ws?lastEventId={cursor}")).bearer(&token);
        site.send(request).await.expect_problem(400, "invalid_cursor");
    }
}

/// A session that comes with this cursor is told that it is lost, at the handshake and never again; then it gets what
/// is new. Returns the newest place after that.
async fn expect_lost_once(site: &Site, cursor: Cursor, newest: Cursor) -> Cursor {
    let token = Token::user("acme", "anna").sign();
    let mut anna = site.connect_from(&token, cursor).await;
    assert_eq!((anna.welcome.resume, anna.welcome.last_event_id), (Resume::Lost, newest), "{cursor}");

    // The place that it was given is a good one.
    let mut again = site.connect_from(&token, newest).await;
    assert_eq!((again.welcome.resume, again.welcome.last_event_id), (Resume::Recovered, newest), "{cursor}");

    let marker = site.publish(&event("acme", "devis:signed", 1_000_000)).await;
    assert!(marker.follows(newest), "{marker} after {newest}");
    assert_eq!((anna.event().await.id, again.event().await.id), (marker, marker), "{cursor}");
    marker
}

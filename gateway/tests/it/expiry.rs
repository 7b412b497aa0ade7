//! A token's last second, on every transport: until then events come, after it nothing does.

use shared::CloseCode;
use tokio::time::Instant;

use crate::support::{Backplane, RawSession, Request, Token, event, n, now, on_both_backplanes};

on_both_backplanes![nothing_is_delivered_after_the_leeway,];

async fn nothing_is_delivered_after_the_leeway(backplane: Backplane) {
    let site = backplane.start().await;
    let start = site.publish(&event("acme", "devis:signed", 0)).await;
    // Two seconds of the leeway are left.
    let ends = now() + 2;
    let short = Token::user("acme", "anna").expires_in(-3).sign();
    let mut socket = site.connect(&short).await;
    let mut stream = site.stream(&short).await;
    let mut poll = RawSession::silent(&site).await;
    let request = Request::get(&format!("/v1/poll?wait=55&lastEventId={start}")).bearer(&short);
    let asked = Instant::now();
    poll.send(&request.encode(site.public)).await;
    let mut witness = site.connect(&Token::user("acme", "bruno").sign()).await;

    assert_eq!(socket.expect_close().await, CloseCode::TokenExpired.code());
    assert_eq!(stream.expect_error_and_end().await, "token_expired");
    // Not an empty answer, whose cursor could pass an event that came too late for it.
    poll.expect_answer().await.expect_problem(401, "unauthorized");
    assert!(asked.elapsed().as_secs() < 10, "the poll outlived its token by far");
    assert!(now() <= ends + 1, "they lasted until {} s after the leeway", now() - ends);

    site.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(n(&witness.event().await), 1);
    for path in ["/v1/sse", "/v1/poll?wait=0", "/v1/events"] {
        site.get(path, &short).await.expect_problem(401, "unauthorized");
    }
    site.knock(&short).await.expect_problem(401, "unauthorized");
}

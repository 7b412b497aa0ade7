//! `gateway carry`: from one Redis to a cluster, and nobody who comes back is told of a loss.

use serde_json::json;
use shared::Resume;

use crate::support::{Launch, Redis, Shards, Token, event, n};

#[tokio::test]
async fn what_was_carried_is_resumed_from_and_known_again() {
    let (redis, shards) = (Redis::start().await, Shards::start(0).await);
    let old = Launch::new().redis(&redis).start().await;
    let tokens: Vec<_> = (0..6).map(|number| Token::user(&format!("c{number}"), "anna").sign()).collect();
    let mut cursors = vec![];
    for number in 0..6 {
        let mut event = event(&format!("c{number}"), "devis:signed", number);
        event["eventId"] = json!(format!("first-{number}"));
        cursors.push(old.publish(&event).await);
    }
    let revoked = json!({"companyId": "c5", "userId": "anna"});
    assert_eq!(old.post("/v1/revocations", &Token::admin("*").sign(), &revoked).await.status, 200);
    redis.command::<String>(&["CONFIG", "SET", "min-replicas-to-write", "99"]).await;
    old.try_publish(&event("c0", "devis:signed", 9)).await.expect_problem(503, "unavailable");

    // Somebody with all rights does it.
    let to = shards.url().replace("gateway:change-me-gateway@", "");
    for _ in 0..2 {
        let carried = Launch::new().set("GATEWAY_CARRY_FROM", &redis.url()).set("GATEWAY_REDIS_URL", &to);
        let output = carried.arguments(&["carry"]).run().await;
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "13 keys copied", "again, it does no harm");
    }

    let new = Launch::new().set("GATEWAY_REDIS_URL", &shards.url()).start().await;
    for number in 0..5 {
        let mut session = new.connect_from(&tokens[number], cursors[number]).await;
        assert_eq!(session.welcome.resume, Resume::Recovered);
        let mut again = event(&format!("c{number}"), "devis:signed", number as u64);
        again["eventId"] = json!(format!("first-{number}"));
        assert_eq!(new.publish_all(&again).await, [(cursors[number], true)]);
        let next = new.publish(&event(&format!("c{number}"), "devis:signed", 100)).await;
        assert!(next.follows(cursors[number]), "{next} after {}", cursors[number]);
        assert_eq!(n(&session.event().await), 100);
    }
    new.knock(&tokens[5]).await.expect_problem(403, "revoked");
}

#[tokio::test]
async fn carrying_from_nowhere_says_so_without_the_password() {
    let launch = Launch::new().set("GATEWAY_CARRY_FROM", "redis://:hunter2@127.0.0.1:1/").arguments(&["carry"]);
    for (to, code) in [(Some("redis://127.0.0.1:1/"), 2), (None, 2), (Some("http://hunter2"), 2)] {
        let launch = to.map_or(launch.clone(), |to| launch.clone().set("GATEWAY_REDIS_URL", to));
        let output = launch.run().await;
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.lines().count() == 1 && !said.contains("hunter2"), "{said}");
    }
}

//! Under the least-privilege user, and with less than it needs.

use publisher::{PublishError, Publisher, new_event_id};

use crate::support::{Numbered, RedisServer, calls, company, connections, envelope, log, numbers, run};

/// All but the channels.
pub(crate) const COMMANDS: &str = "resetkeys resetchannels -@all +ping +evalsha +script|load +xadd +xrevrange +get \
                        +set +pexpire +publish +info %RW~{company:*}:log %RW~{company:*}:idem:*";

async fn publisher_as(server: &RedisServer, rights: &str) -> Publisher {
    let mut redis = server.connect().await;
    run(&mut redis, &format!("ACL SETUSER api reset on >secret {rights}")).await;
    Publisher::connect(&format!("redis://api:secret@127.0.0.1:{}", server.port())).unwrap()
}

#[tokio::test]
async fn the_least_privilege_user_publishes_over_connections_that_last() {
    let server = RedisServer::start().await;
    let publisher = publisher_as(&server, &format!("{COMMANDS} &company:*")).await;
    let (acme, mut redis) = (company("acme"), server.connect().await);
    let before = connections(&mut redis).await;
    let batch: Vec<_> = (1..=250).map(|number| envelope(&acme, number)).collect();
    publisher.publish_envelopes(&batch).await.unwrap();
    for number in 251..=300 {
        publisher.publish(&acme, Numbered { number }).await.unwrap();
    }
    assert!(numbers(&mut redis, &acme).await.into_iter().eq(1..=300));
    assert!(connections(&mut redis).await - before <= 2);
}

#[tokio::test]
async fn without_the_right_to_announce_nothing_is_stored() {
    let server = RedisServer::start().await;
    let publisher = publisher_as(&server, &format!("{COMMANDS} &company:durand")).await;
    let (acme, id, mut redis) = (company("acme"), new_event_id(), server.connect().await);
    let error = publisher.publish_with_id(&acme, id.clone(), Numbered { number: 1 }).await.unwrap_err();
    assert!(matches!(error, PublishError::Refused(_)), "{error}");
    assert!(error.to_string().contains("may not PUBLISH company:acme"), "{error}");
    assert_eq!(log(&mut redis, &acme).await, []);
    publisher.publish(&company("durand"), Numbered { number: 1 }).await.unwrap();
    run(&mut redis, "ACL SETUSER api &company:acme").await;
    assert!(!publisher.publish_with_id(&acme, id, Numbered { number: 1 }).await.unwrap().duplicate);
}

#[tokio::test]
async fn without_any_one_right_nothing_is_stored_and_nothing_retried() {
    let server = RedisServer::start().await;
    let (acme, mut redis) = (company("acme"), server.connect().await);
    for missing in ["-publish", "-set", "-get", "-xadd", "-xrevrange", "-pexpire", "-evalsha"] {
        let publisher = publisher_as(&server, &format!("{COMMANDS} &company:* {missing}")).await;
        run(&mut redis, "CONFIG RESETSTAT").await;
        let error = publisher.publish(&acme, Numbered { number: 1 }).await.unwrap_err();
        assert!(matches!(error, PublishError::Refused(_)), "{missing}: {error}");
        assert!(!error.is_retryable());
        assert_eq!(log(&mut redis, &acme).await, [], "{missing}");
        assert!(calls(&mut redis, "evalsha").await <= 2, "{missing}: once, and once more after loading");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_at_once() {
    let server = RedisServer::start().await;
    publisher_as(&server, &format!("{COMMANDS} &company:*")).await;
    let publisher = Publisher::connect(&format!("redis://api:wrong@127.0.0.1:{}", server.port())).unwrap();
    let error = publisher.publish(&company("acme"), Numbered { number: 1 }).await.unwrap_err();
    assert!(matches!(error, PublishError::Refused(_)), "{error}");
    assert!(!format!("{error:?}").contains("wrong@"));
}

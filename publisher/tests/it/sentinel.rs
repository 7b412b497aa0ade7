//! Behind sentinels: the master changes, and the publisher goes along.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use publisher::{Endpoint, PublishError, Publisher, new_event_id, shared::Cursor};
use tokio::{sync::mpsc, task::JoinSet, time::interval};

use crate::support::{
    Cluster, NAME, Numbered, RedisServer, Sentinel, company, epochs, free_port, hasty, log, numbers, role, run,
};

const EVENTS: u64 = 500;

/// Nobody else is let in, and this one may do only what it has to.
const SENTINEL_USER: &str =
    "user default off\nuser watch on >c+/d -@all +sentinel|get-master-addr-by-name +sentinel|master";

/// One event, acknowledged.
struct Published {
    number: u64,
    id: Cursor,
    begun: Instant,
    ended: Instant,
}

/// Publishes to `acme` at a steady pace, whether or not the earlier ones are answered, and each again until it is
/// stored; says when a quarter is out.
async fn publish_steadily(url: &str, quarter: mpsc::Sender<()>) -> Vec<Published> {
    let publisher = Publisher::builder(url).max_events(EVENTS * 2).build().unwrap();
    let mut pace = interval(Duration::from_millis(8));
    let mut all = JoinSet::new();
    for number in 0..EVENTS {
        pace.tick().await;
        if number == EVENTS / 4 {
            quarter.send(()).await.unwrap();
        }
        let (publisher, acme, event_id) = (publisher.clone(), company("acme"), new_event_id());
        all.spawn(async move {
            let begun = Instant::now();
            loop {
                match publisher.publish_with_id(&acme, event_id.clone(), Numbered { number }).await {
                    Ok(published) => return Published { number, id: published.id, begun, ended: Instant::now() },
                    Err(error) => assert!(error.is_retryable(), "{error}"),
                }
                assert!(begun.elapsed() < Duration::from_secs(15), "still nobody takes events");
            }
        });
    }
    all.join_all().await
}

/// Makes sure that an event is where its publisher was told it is.
fn assert_in_place(published: &Published, log: &[(String, String)], numbers: &[u64]) {
    let place = numbers.iter().position(|number| *number == published.number);
    let place = place.unwrap_or_else(|| panic!("{} is lost", published.number));
    assert_eq!(log[place].0, published.id.to_string());
}

/// Sentinel lets the old master take events for ten seconds after it has promoted another. So it is not clean unless
/// somebody stops them first.
#[tokio::test]
async fn a_clean_failover_under_load_stores_each_event_once() {
    let cluster = Cluster::start().await;
    let (url, (quarter, mut out)) = (cluster.url(), mpsc::channel(1));
    let failing_over = async {
        out.recv().await.unwrap();
        run(&mut cluster.master.connect().await, "CLIENT PAUSE 60000 WRITE").await;
        cluster.in_step().await;
        cluster.fail_over().await;
        cluster.failed_over().await;
        Instant::now()
    };
    let (published, failed_over) = tokio::join!(publish_steadily(&url, quarter), failing_over);
    let mut redis = cluster.replica.connect().await;
    let log = log(&mut redis, &company("acme")).await;
    let mut numbers = epochs(&mut redis, &company("acme")).await.concat();
    for published in &published {
        assert_in_place(published, &log, &numbers);
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..EVENTS), "each once");
    assert!(published.iter().any(|one| one.ended > failed_over), "nothing was proven");
}

#[tokio::test]
async fn a_master_that_is_killed_under_load_costs_seconds_and_doubles_nothing() {
    let mut cluster = Cluster::start().await;
    let (url, (quarter, mut out)) = (cluster.url(), mpsc::channel(1));
    let killing = async {
        out.recv().await.unwrap();
        cluster.master.kill();
        let killed = Instant::now();
        cluster.failed_over().await;
        killed
    };
    let (published, killed) = tokio::join!(publish_steadily(&url, quarter), killing);
    let mut redis = cluster.replica.connect().await;
    let log = log(&mut redis, &company("acme")).await;
    let mut numbers = epochs(&mut redis, &company("acme")).await.concat();
    // What the old master acknowledged and had not passed on is gone; nothing else is.
    let later = || published.iter().filter(|one| one.begun > killed);
    for published in later() {
        assert_in_place(published, &log, &numbers);
    }
    numbers.sort_unstable();
    assert!(numbers.is_sorted_by(|one, next| one < next), "each at most once");
    let pause = later().map(|one| one.ended).min().unwrap() - killed;
    assert!(pause < Duration::from_secs(10), "publishing goes on after {pause:?}");
}

#[tokio::test]
async fn a_replaced_master_that_does_not_know_is_left_within_a_second() {
    let cluster = Cluster::start().await;
    let (publisher, acme) = (Publisher::builder(&cluster.url()).pool_size(1).build().unwrap(), company("acme"));
    publisher.publish(&acme, Numbered { number: 1 }).await.unwrap();
    let endpoint = Endpoint::parse(&cluster.url()).unwrap();
    let client = endpoint.client().await.unwrap();
    assert!(endpoint.is_current(&client).await.unwrap());
    let mut old = cluster.master.connect().await;

    cluster.in_step().await;
    cluster.fail_over().await;
    cluster.failed_over().await;
    assert!(!endpoint.is_current(&client).await.unwrap());
    let client = endpoint.client().await.unwrap();
    assert!(endpoint.is_current(&client).await.unwrap());
    assert_eq!(client.get_connection_info().addr().to_string(), format!("127.0.0.1:{}", cluster.replica.port()));

    // Its lines were right a moment ago, and that is believed for a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    publisher.publish(&acme, Numbered { number: 2 }).await.unwrap();
    assert_eq!(epochs(&mut cluster.replica.connect().await, &acme).await, [[1], [2]]);
    assert_eq!(numbers(&mut old, &acme).await, [1]);
    assert_eq!(role(&mut old).await, "master", "it would have taken it");
}

#[tokio::test]
async fn one_sentinel_that_answers_is_enough_to_publish_but_not_to_say_who_is_current() {
    let server = RedisServer::start().await;
    let sentinel = Sentinel::start(server.port(), 1, "").await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (absent, silent) = (free_port(), silent.local_addr().unwrap().port());
    let url = format!("redis+sentinel://127.0.0.1:{absent},127.0.0.1:{silent},127.0.0.1:{}/{NAME}", sentinel.port());
    Publisher::connect(&url).unwrap().publish(&company("acme"), Numbered { number: 1 }).await.unwrap();
    let endpoint = Endpoint::parse(&url).unwrap();
    let client = endpoint.client().await.unwrap();
    assert!(endpoint.is_current(&client).await.is_err());
}

#[tokio::test]
async fn a_server_that_is_no_master_is_not_believed_to_be_one() {
    let (master, replica) = (RedisServer::start().await, RedisServer::start().await);
    run(&mut replica.connect().await, &format!("REPLICAOF 127.0.0.1 {}", master.port())).await;
    let sentinel = Sentinel::start(replica.port(), 1, "").await;
    let url = format!("redis+sentinel://127.0.0.1:{}/{NAME}", sentinel.port());
    let error = Endpoint::parse(&url).unwrap().client().await.unwrap_err();
    assert!(error.to_string().contains("not a master"), "{error}");
    let error = hasty(&url).publish(&company("acme"), Numbered { number: 1 }).await.unwrap_err();
    assert!(matches!(error, PublishError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn sentinels_and_servers_have_credentials_of_their_own() {
    let server = RedisServer::start().await;
    let mut redis = server.connect().await;
    run(&mut redis, &format!("ACL SETUSER api on >a@+b {} +role &company:*", crate::rights::COMMANDS)).await;
    let sentinel = Sentinel::start(server.port(), 1, SENTINEL_USER).await;
    let host = format!("127.0.0.1:{}", sentinel.port());
    let acme = company("acme");

    let right = format!("redis+sentinel://api:a%40+b@{host}/{NAME}?sentinelUser=watch&sentinelPassword=c+%2Fd");
    Publisher::connect(&right).unwrap().publish(&acme, Numbered { number: 1 }).await.unwrap();
    assert_eq!(numbers(&mut redis, &acme).await, [1]);

    for (wrong, says) in [
        (right.replace("c+", "x"), "no sentinel knows"),
        (right.replace("a%40", "x"), "authentication"),
        (right.replace(NAME, "nobody"), "No such master"),
    ] {
        let error = Publisher::connect(&wrong).unwrap().publish(&acme, Numbered { number: 2 }).await.unwrap_err();
        assert!(matches!(error, PublishError::Refused(_)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

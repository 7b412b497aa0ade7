//! A Redis Cluster: each company is heard over the shard that has it, and notices nothing of the others.

use serde_json::json;
use shared::{DeliveryState, ServerFrame};

use crate::support::{Client, Gateway, Launch, Load, Shards, Token, ask, event, eventually, n};

fn anna(company: &str) -> String {
    Token::user(company, "anna").sign()
}

async fn gateway(shards: &Shards) -> Gateway {
    Launch::new().set("GATEWAY_REDIS_URL", &shards.url()).start().await
}

/// All `count` events of a [`Load`], each following the one before, without a word about a loss; what was said about
/// delivery meanwhile.
async fn expect_whole_load(session: &mut Client, count: u64) -> Vec<DeliveryState> {
    let (mut told, mut next, mut last) = (vec![], 0, session.welcome.last_event_id);
    while next < count {
        match session.frame().await {
            ServerFrame::Event(event) => {
                assert_eq!(n(&event), next);
                assert!(event.id.follows(last), "{} came after {last}", event.id);
                (last, next) = (event.id, next + 1);
            }
            ServerFrame::Status { delivery } => told.push(delivery),
            other => panic!("{other:?} after event {next}"),
        }
    }
    told
}

#[tokio::test]
async fn events_travel_on_shard_channels_and_replicas_share_what_they_keep() {
    let shards = Shards::start(0).await;
    let launch = || {
        Launch::new()
            .set("GATEWAY_REDIS_URL", &shards.url())
            .set("GATEWAY_MAX_CONNECTIONS_PER_USER", "1")
            .set("GATEWAY_ALLOWED_ORIGINS", "*")
    };
    let (a, b) = (launch().start().await, launch().start().await);
    let companies = shards.one_company_each().await;
    let mut sessions = vec![];
    for (_, company) in &companies {
        sessions.push(a.connect(&anna(company)).await);
    }
    for (index, (primary, company)) in companies.iter().enumerate() {
        b.publish(&event(company, "devis:signed", index as u64)).await;
        let came = sessions[index].event().await;
        assert_eq!((n(&came), came.company_id.to_string()), (index as u64, company.clone()));
        let heard: Vec<String> = ask(*primary, &["PUBSUB", "SHARDCHANNELS", "company:*"]).await;
        assert_eq!(heard, [format!("company:{company}")]);
        assert_eq!(ask::<Vec<String>>(*primary, &["PUBSUB", "CHANNELS", "company:*"]).await, [""; 0]);
    }
    // The count of connections is in one slot, whoever asks.
    eventually("one too many is refused", async || {
        let status = b.knock(&anna(&companies[0].1)).await.status;
        if status == 429 { Ok(()) } else { Err(status) }
    })
    .await;
    // Revocations are in one slot as well, and heard by all.
    let admin = Token::admin("*").sign();
    let revoked = json!({"companyId": companies[1].1, "userId": "anna"});
    assert_eq!(b.post("/v1/revocations", &admin, &revoked).await.status, 200);
    assert_eq!(sessions[1].expect_close().await, 4403);
    for shard in 0..3 {
        a.metric_becomes(&format!("gateway_shard_up{{shard=\"{shard}\"}}"), 1.0).await;
        a.metric_becomes(&format!("gateway_shard_companies{{shard=\"{shard}\"}}"), 1.0).await;
    }
}

#[tokio::test]
async fn a_company_whose_slot_moves_is_heard_from_its_new_shard_without_a_word() {
    let shards = Shards::start(0).await;
    let gateway = gateway(&shards).await;
    let companies = shards.one_company_each().await;
    let (moving, staying) = (&companies[0], &companies[1]);
    let mut moves = gateway.connect(&anna(&moving.1)).await;
    let mut stays = gateway.connect(&anna(&staying.1)).await;
    let (load, other) = (Load::start(*gateway, &moving.1), Load::start(*gateway, &staying.1));
    load.publishes_more(20).await;
    let mut at = moving.0;
    for to in [companies[1].0, companies[2].0, moving.0] {
        shards.move_company(&moving.1, at, to).await;
        at = to;
        load.publishes_more(20).await;
    }
    let (count, others) = (load.finish().await, other.finish().await);
    assert_eq!(expect_whole_load(&mut moves, count).await, []);
    assert_eq!(expect_whole_load(&mut stays, others).await, []);
    let heard: Vec<String> = ask(at, &["PUBSUB", "SHARDCHANNELS", "company:*"]).await;
    assert_eq!(heard, [format!("company:{}", moving.1)]);
}

#[tokio::test]
async fn a_shard_that_is_down_degrades_its_own_companies_alone() {
    let mut shards = Shards::start(0).await;
    let gateway = gateway(&shards).await;
    let companies = shards.one_company_each().await;
    let (struck, spared) = (&companies[0], &companies[1]);
    let mut suffers = gateway.connect(&anna(&struck.1)).await;
    let mut notices = gateway.connect(&anna(&spared.1)).await;
    let load = Load::start(*gateway, &spared.1);
    gateway.publish(&event(&struck.1, "devis:signed", 0)).await;
    assert_eq!(n(&suffers.event().await), 0);
    shards.kill(struck.0);
    suffers.expect_status(DeliveryState::Degraded).await;
    load.publishes_more(20).await;
    // One who comes now is let in, and told.
    let mut late = gateway.connect(&Token::user(&struck.1, "late").sign()).await;
    late.expect_status(DeliveryState::Degraded).await;
    shards.revive(struck.0);
    suffers.expect_status(DeliveryState::Live).await;
    eventually("its publishers are served again", async || {
        let status = gateway.try_publish(&event(&struck.1, "devis:signed", 1)).await.status;
        if status == 200 { Ok(()) } else { Err(status) }
    })
    .await;
    assert_eq!(n(&suffers.event().await), 1);
    let count = load.finish().await;
    assert_eq!(expect_whole_load(&mut notices, count).await, [], "the others notice nothing");
}

#[tokio::test]
async fn a_promoted_replica_is_heard_and_says_that_its_tail_is_unproven() {
    let mut shards = Shards::start(1).await;
    let gateway = gateway(&shards).await;
    let companies = shards.one_company_each().await;
    let (struck, spared) = (&companies[0], &companies[1]);
    let mut suffers = gateway.connect(&anna(&struck.1)).await;
    let mut notices = gateway.connect(&anna(&spared.1)).await;
    gateway.publish(&event(&struck.1, "devis:signed", 0)).await;
    assert_eq!(n(&suffers.event().await), 0);
    shards.replicated(struck.0).await;
    let load = Load::start(*gateway, &spared.1);
    shards.kill(struck.0);
    suffers.expect_status(DeliveryState::Degraded).await;
    suffers.expect_status(DeliveryState::Live).await;
    gateway.publish(&event(&struck.1, "devis:signed", 1)).await;
    // The log begins a new epoch: what the dead primary had answered last may be lost.
    suffers.expect_resync().await;
    assert_eq!(n(&suffers.event().await), 1);
    let count = load.finish().await;
    assert_eq!(expect_whole_load(&mut notices, count).await, []);
}

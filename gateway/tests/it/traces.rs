//! One trace from the service that publishes to the sockets, as a collector sees it.

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use publisher::Publisher;
use serde_json::{Value, json};
use shared::{CompanyId, events::DevisSigned};
use tracing::{Instrument, info_span, instrument::WithSubscriber};
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::support::{Client, Collector, Incoming, Launch, RawSession, Redis, Request, Token, event};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn anna() -> String {
    Token::user("acme", "anna").sign()
}

/// Spans are sent at once, and no trace begins in the gateway itself.
fn traced(collector: &Collector) -> Launch {
    Launch::new()
        .set("GATEWAY_OTLP_ENDPOINT", &collector.url())
        .set("GATEWAY_TRACE_RATIO", "0")
        .set("OTEL_BSP_SCHEDULE_DELAY", "50")
}

fn post(body: &Value, flags: &str) -> Request {
    let request = Request::new("POST", "/v1/events").bearer(&Token::service("*").sign()).json(body);
    request.header("traceparent", &format!("00-{TRACE}-{CALLER}-{flags}"))
}

/// The JSON of the next event frame, with members that no type knows.
async fn next_json(session: &mut RawSession) -> Value {
    loop {
        let frame = session.next().await.expect("the session ended");
        let Ok(json) = serde_json::from_str::<Value>(&frame.text()) else { continue };
        if json["frame"] == "event" {
            return json;
        }
    }
}

#[tokio::test]
async fn a_request_that_is_traced_is_traced_to_the_sockets_of_every_replica() {
    let (collector, redis) = (Collector::start(), Redis::start().await);
    let a = traced(&collector).redis(&redis).start().await;
    let b = traced(&collector).redis(&redis).start().await;
    let mut session = RawSession::open(&a, &anna()).await;
    let mut others: Vec<Client> = vec![b.connect(&anna()).await, b.connect(&anna()).await];

    // Not recorded, in no trace, and then one that is.
    assert_eq!(a.send(post(&event("acme", "devis:signed", 0), "00")).await.status, 200);
    a.publish(&event("acme", "devis:signed", 1)).await;
    assert_eq!(a.send(post(&event("acme", "devis:signed", 2), "01")).await.status, 200);

    for _ in 0..2 {
        assert_eq!(next_json(&mut session).await.get("traceparent"), None);
    }
    let carried = next_json(&mut session).await;
    let publish = collector.span(TRACE, "publish").await;
    assert_eq!((publish.service.as_str(), publish.parent.as_str()), ("realtime-gateway", CALLER));
    assert_eq!(carried["traceparent"], format!("00-{TRACE}-{}-01", publish.id));
    for other in &mut others {
        other.events(3).await;
    }
    // One span for each worker that had somebody to deliver to, and none for the other events.
    let deliver = crate::support::eventually("the spans of both replicas", async || {
        let spans: Vec<_> = collector.spans().into_iter().filter(|span| span.name == "deliver").collect();
        let sessions: u64 = spans.iter().map(|span| span.attribute("sessions").parse::<u64>().unwrap()).sum();
        if sessions == 3 { Ok(spans) } else { Err(format!("{spans:?}")) }
    })
    .await;
    for span in &deliver {
        assert_eq!((&span.trace, &span.parent), (&publish.trace, &publish.id));
        assert_eq!((span.attribute("event.type"), span.attribute("company.id")), ("devis:signed", "acme"));
        assert_eq!(span.attribute("messaging.message.id"), carried["id"]);
        assert!(span.lasted_ns > 0, "{span:?}");
    }
    assert_eq!(collector.spans().iter().filter(|span| span.name == "publish").count(), 1);
}

#[tokio::test]
async fn a_publish_by_the_library_is_the_parent_of_its_deliveries() {
    let (collector, redis) = (Collector::start(), Redis::start().await);
    let gateway = traced(&collector).redis(&redis).start().await;
    let mut session = gateway.connect(&anna()).await;
    // A service that records its requests, as services do.
    let endpoint = format!("{}/v1/traces", collector.url());
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build().unwrap();
    let service = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name("devis-service").build())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(service.tracer("devis-service"));
    let publisher = Publisher::connect(&redis.url()).unwrap();
    let signed: DevisSigned = serde_json::from_value(json!({
        "devisId": "d-1", "number": "D-1", "clientId": "c-1", "clientName": "Mme Lefèvre", "amountCents": 1,
        "signedBy": "Mme Lefèvre", "signedAt": "2026-11-22T10:00:00Z"
    }))
    .unwrap();

    let request = async {
        let request = info_span!("sign a quote");
        publisher.publish(&CompanyId::parse("acme").unwrap(), signed).instrument(request).await.unwrap();
    };
    request.with_subscriber(Registry::default().with(layer)).await;
    session.event().await;
    let flushed = tokio::task::spawn_blocking(move || service.shutdown()).await.unwrap();
    flushed.unwrap();

    let request = collector.spans().into_iter().find(|span| span.name == "sign a quote").expect("the service's span");
    let publish = collector.span(&request.trace, "publish").await;
    let deliver = collector.span(&request.trace, "deliver").await;
    assert_eq!((publish.service.as_str(), &publish.parent), ("devis-service", &request.id));
    assert_eq!((deliver.service.as_str(), &deliver.parent), ("realtime-gateway", &publish.id));
    assert_eq!(deliver.attribute("sessions"), "1");
}

#[tokio::test]
async fn without_a_collector_nothing_is_traced_and_one_that_is_away_disturbs_nobody() {
    let absent = "http://127.0.0.1:9";
    for launch in [Launch::new(), Launch::new().set("OTEL_EXPORTER_OTLP_ENDPOINT", absent)] {
        let is_on = launch.has("OTEL_EXPORTER_OTLP_ENDPOINT");
        let mut gateway = launch.start().await;
        let mut session = RawSession::open(&gateway, &anna()).await;
        for number in 0..20 {
            assert_eq!(gateway.send(post(&event("acme", "devis:signed", number), "01")).await.status, 200);
            assert_eq!(next_json(&mut session).await.get("traceparent").is_some(), is_on);
        }
        drop(session);
        gateway.metric_becomes("gateway_connections{state=\"active\"}", 0.0).await;
        gateway.terminate();
        assert_eq!(gateway.exit().await.code(), Some(0));
    }
}

#[tokio::test]
async fn a_collector_that_is_none_is_named() {
    for (variable, value) in [
        ("GATEWAY_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector"),
        ("GATEWAY_TRACE_RATIO", "1.5"),
    ] {
        let output = Launch::new().set(variable, value).run().await;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(variable) && stderr.contains(value), "{stderr}");
    }
}

/// The client's own type is not disturbed by the member either.
#[tokio::test]
async fn a_client_that_does_not_know_of_traces_reads_the_event() {
    let collector = Collector::start();
    let gateway = traced(&collector).start().await;
    let mut session = gateway.connect(&anna()).await;
    assert_eq!(gateway.send(post(&event("acme", "devis:signed", 7), "01")).await.status, 200);
    match session.next().await {
        Incoming::Frame(shared::ServerFrame::Event(event)) => assert_eq!(event.data, json!({ "n": 7 })),
        other => panic!("{other:?}"),
    }
}

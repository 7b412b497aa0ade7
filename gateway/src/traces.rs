//! Traces by OpenTelemetry: an event that is published in a sampled trace carries its `traceparent`, and its way from
//! being heard to having been written to a worker's sessions joins the trace as a span. Off unless a collector is named;
//! events without a trace cost nothing here.

use std::time::{Instant, SystemTime};

use actix_http::header::HeaderMap;
use anyhow::{Context as _, Result};
use opentelemetry::{
    Context, KeyValue,
    trace::{
        Span as _, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
        TracerProvider,
    },
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider, Span},
};
use shared::{CompanyId, Envelope, TraceParent};

use crate::{
    config::TelemetryConfig,
    defaults::{TRACE_EXPORT_TIMEOUT, TRACE_FLUSH},
    delivery::Delivery,
};

/// Where spans go.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    on: Option<(SdkTracer, SdkTracerProvider)>,
}

/// Lasts as long as a publish.
pub struct Publishing(Option<Span>);

impl Traces {
    /// Traces for the collector that is configured, if there is one. Must not be called within a runtime.
    ///
    /// # Errors
    /// When the collector's address cannot be used.
    pub fn new(config: &TelemetryConfig) -> Result<Self> {
        let Some(endpoint) = config.collector() else { return Ok(Self::default()) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .with_timeout(TRACE_EXPORT_TIMEOUT)
            .build()
            .context("GATEWAY_OTLP_ENDPOINT")?;
        let provider = SdkTracerProvider::builder()
            // Whoever began a trace has decided; the ratio is for those that begin here.
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio))))
            // Bounded: what a collector does not take in time is dropped.
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_service_name("realtime-gateway").build())
            .build();
        Ok(Self { on: Some((provider.tracer("gateway"), provider)) })
    }

    /// A publish over HTTP: in the trace that the request names, or in one of its own. The events carry it if it is sampled.
    #[must_use]
    pub fn publish(&self, headers: &HeaderMap, envelopes: Vec<Envelope>) -> (Vec<Envelope>, Publishing) {
        let Some((tracer, _)) = &self.on else { return (envelopes, Publishing(None)) };
        let named = headers.get("traceparent").and_then(|value| value.to_str().ok()?.parse().ok());
        let span = tracer
            .span_builder("publish")
            .with_kind(SpanKind::Producer)
            .with_attributes([KeyValue::new("messaging.batch.message_count", envelopes.len() as i64)])
            .start_with_context(tracer, &named.map_or_else(Context::new, context_of));
        let context = span.span_context().clone();
        if !context.is_sampled() {
            return (envelopes, Publishing(None));
        }
        let parent = TraceParent {
            trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(context.span_id().to_bytes()),
            sampled: true,
        };
        let envelopes = envelopes.into_iter().map(|envelope| envelope.with_traceparent(parent)).collect();
        (envelopes, Publishing(Some(span)))
    }

    /// An event has just been written, or queued, to a worker's sessions.
    pub fn delivered(&self, company: &CompanyId, event: &Delivery, sessions: usize) {
        let (Some((tracer, _)), Some(timing)) = (&self.on, event.timing) else { return };
        let Some(parent) = timing.trace else { return };
        let now = SystemTime::now();
        let heard = now.checked_sub(Instant::now().duration_since(timing.heard)).unwrap_or(now);
        let attributes = [
            KeyValue::new("messaging.system", "redis"),
            KeyValue::new("messaging.message.id", event.id.to_string()),
            KeyValue::new("event.type", event.event_type.to_string()),
            KeyValue::new("company.id", company.to_string()),
            KeyValue::new("sessions", sessions as i64),
        ];
        let mut span = tracer
            .span_builder("deliver")
            .with_kind(SpanKind::Consumer)
            .with_start_time(heard)
            .with_attributes(attributes)
            .start_with_context(tracer, &context_of(parent));
        span.end_with_timestamp(now);
    }

    /// Sends what is left. Must not be called within a runtime.
    pub fn end(self) {
        if let Some((_, provider)) = self.on {
            // A collector that does not answer must not hold the end up.
            let _ = provider.shutdown_with_timeout(TRACE_FLUSH);
        }
    }
}

fn context_of(parent: TraceParent) -> Context {
    let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, span) = (parent.trace_id.to_be_bytes(), parent.span_id.to_be_bytes());
    let remote = SpanContext::new(TraceId::from_bytes(trace), SpanId::from_bytes(span), flags, true, TraceState::NONE);
    Context::new().with_remote_span_context(remote)
}

impl Publishing {
    /// The events are stored, or not.
    pub fn end(self, stored: bool) {
        if let Some(mut span) = self.0 {
            if !stored {
                span.set_status(opentelemetry::trace::Status::error("not stored"));
            }
            span.end();
        }
    }
}

//! The trace that a publish belongs to travels with the event, so that its way to the sockets joins it.

use opentelemetry::trace::TraceContextExt;
use shared::{Envelope, TraceParent};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Writes into the envelope that it is published in `span`, or, where nobody records that, in the span around it. An
/// event that is in no trace, or in one that is not sampled, stays as it is.
pub(crate) fn traced(envelope: Envelope, span: &Span) -> Envelope {
    let parent = of(span).or_else(|| of(&Span::current())).filter(|parent| parent.sampled);
    match parent {
        Some(parent) => envelope.with_traceparent(parent),
        None => envelope,
    }
}

fn of(span: &Span) -> Option<TraceParent> {
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| TraceParent {
        trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(context.span_id().to_bytes()),
        sampled: context.is_sampled(),
    })
}

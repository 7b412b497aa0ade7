use std::time::Duration;

use actix_http::header::{
    ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE,
    WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use bytes::Bytes;
use publisher::PublishError;
use shared::{Mistake, ProblemBody};

use crate::{
    auth::AuthError,
    defaults::{QUOTA_RETRY_AFTER_SECS, RETRY_AFTER_SECS},
    health::NotReady,
    quota::Full,
};

const CONTENT: HeaderValue = HeaderValue::from_static("application/problem+json");

/// A refusal, as RFC 9457 has it, with a stable `code`.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    /// What it is counted as.
    reason: &'static str,
    counted: bool,
    detail: String,
    /// What in the body it is about.
    mistake: Option<Box<Mistake<'static>>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A refusal with this status, code and explanation.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: &str) -> Self {
        Self { status, code, reason: code, counted: false, detail: detail.to_owned(), mistake: None, headers: vec![] }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// Says when to try again.
    #[must_use]
    fn retry_after(mut self, seconds: u32) -> Self {
        self.headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }

    /// Says where in the request's body it is, as a JSON pointer in a URI fragment, and what is wrong there.
    #[must_use]
    pub fn at(mut self, pointer: String, detail: &str) -> Self {
        self.mistake = Some(Box::new(Mistake { pointer: pointer.into(), detail: detail.to_owned().into() }));
        self
    }

    /// Counts it as something more precise than its code.
    #[must_use]
    fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// It has been counted.
    #[must_use]
    pub fn counted(mut self) -> Self {
        self.counted = true;
        self
    }

    /// Whether it has been counted.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.counted
    }

    /// What it is counted as.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Whether it is about what the bearer of a token may do.
    #[must_use]
    pub fn is_about_rights(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// 400.
    #[must_use]
    pub fn bad_request(code: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 403.
    #[must_use]
    pub fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 403: a web page that is not on the allow-list.
    #[must_use]
    pub fn origin_not_allowed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "origin_not_allowed", "this origin is not in GATEWAY_ALLOWED_ORIGINS")
    }

    /// 500: Redis refuses what the gateway asks; what is wrong is ours to mend, and in the log.
    #[must_use]
    pub fn refused(detail: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "refused", detail)
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }

    /// 405.
    #[must_use]
    pub fn method_not_allowed(allowed: &'static str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this method is not supported here")
            .with_header(ALLOW, allowed)
    }

    /// 413.
    #[must_use]
    pub fn too_large(detail: &str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
    }

    /// 426: a plain request where a WebSocket is expected.
    #[must_use]
    pub fn upgrade_required() -> Self {
        Self::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "this endpoint speaks WebSocket")
            .with_header(UPGRADE, "websocket")
            .with_header(CONNECTION, "Upgrade")
            .with_header(SEC_WEBSOCKET_VERSION, "13")
    }

    /// 503: the replica takes no connection now.
    #[must_use]
    pub fn not_ready(reason: NotReady) -> Self {
        let (code, detail) = match reason {
            NotReady::Starting => ("unavailable", "this replica is starting"),
            NotReady::Draining => ("draining", "this replica goes away; another one answers"),
            NotReady::Full => ("overloaded", "this replica holds as many connections as it may"),
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(RETRY_AFTER_SECS)
    }

    /// 503: too many sessions are to begin at once. Those who are told so do not come back together.
    #[must_use]
    pub fn too_many_at_once() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "too many connect at once; try again shortly")
            .because("connect_rate")
            .retry_after(rand::random_range(1..=2 * RETRY_AFTER_SECS))
    }

    /// 429: the company or the user has as many connections as it may.
    #[must_use]
    pub fn too_many_connections(full: Full) -> Self {
        let (reason, detail) = match full {
            Full::Company => ("company_connections", "this company has as many connections as it may"),
            Full::User => ("user_connections", "this user has as many connections as they may"),
        };
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_connections", detail)
            .because(reason)
            .retry_after(QUOTA_RETRY_AFTER_SECS)
    }

    /// 429: the publisher publishes more than it may.
    #[must_use]
    pub fn too_many_publishes(wait: Duration) -> Self {
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_publishes", "this token publishes more than it may")
            .because("publish_rate")
            .retry_after(seconds)
    }

    /// 503: Redis does not answer.
    #[must_use]
    pub fn unavailable(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(RETRY_AFTER_SECS)
    }

    fn body(&self) -> Vec<u8> {
        let body = ProblemBody {
            r#type: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or_default().into(),
            status: self.status.as_u16(),
            code: self.code.into(),
            detail: self.detail.as_str().into(),
            errors: self.mistake.as_deref().map(|mistake| vec![mistake.clone()]),
        };
        serde_json::to_vec(&body).expect("a problem has only string keys")
    }

    /// The response for a socket that has left the HTTP server; it is closed afterwards.
    #[must_use]
    pub fn into_raw_response(self) -> actix_http::Response<Bytes> {
        let mut response = actix_http::Response::with_body(self.status, Bytes::from(self.body()));
        response.headers_mut().insert(CONTENT_TYPE, CONTENT);
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response.head_mut().set_connection_type(actix_http::ConnectionType::Close);
        response
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let detail = error.to_string();
        let problem = match error {
            AuthError::Revoked => Self::new(StatusCode::FORBIDDEN, "revoked", &detail),
            AuthError::NoKeys => Self::unavailable(&detail),
            _ => Self::new(StatusCode::UNAUTHORIZED, "unauthorized", &detail).with_header(WWW_AUTHENTICATE, "Bearer"),
        };
        problem.because(error.label())
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Event(error) => Self::bad_request("invalid_event", &error.to_string()),
            error if error.is_retryable() => {
                Self::unavailable(&format!("the event could not be stored; try again with the same eventId: {error}"))
            }
            _ => Self::refused("Redis refused the event"),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((CONTENT_TYPE, CONTENT));
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.body(self.body())
    }
}

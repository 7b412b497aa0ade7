//! The gateway itself.

use std::sync::Arc;

use shared::ServerFrame;

use super::{About, Dialect, Greeting, Heard, Place, Subject, Ticket, ToGateway, upgrade};
use crate::{
    client::event_id,
    measure::{children::Gateway, mint::Mint},
    target::{Target, TargetArgs},
};

/// The gateway's own protocol, at a path with its query.
#[derive(Debug, Clone)]
pub(crate) struct Ours(pub(crate) String);

impl Default for Ours {
    fn default() -> Self {
        Self("/v1/ws".to_owned())
    }
}

impl Dialect for Ours {
    fn request(&self, host: &str, ticket: &Ticket) -> Vec<u8> {
        let path = &self.0;
        let target = match ticket.after {
            Some(place) => format!("{path}{}lastEventId={place}", if path.contains('?') { '&' } else { '?' }),
            None => path.clone(),
        };
        let more = format!("Sec-WebSocket-Protocol: realtime.v1\r\nAuthorization: Bearer {}\r\n", ticket.token);
        upgrade(host, &target, &more)
    }

    fn greet(&self, _: &Ticket, frame: Option<&[u8]>) -> Greeting {
        let Some(frame) = frame else { return Greeting::Wait };
        match serde_json::from_slice(frame) {
            Ok(ServerFrame::Welcome { last_event_id: at, resume, .. }) => Greeting::Ready { at, resume },
            Ok(_) => Greeting::Wait,
            Err(error) => Greeting::Refused(format!("the first frame: {error}")),
        }
    }

    fn hear<'a>(&self, frame: &'a [u8], each: &mut dyn FnMut(Heard<'a>)) {
        if let Some(id) = event_id(frame) {
            return each(Heard::Placed(id, frame));
        }
        if frame.starts_with(b"{\"frame\":\"resync\"")
            && let Ok(ServerFrame::Resync { last_event_id, .. }) = serde_json::from_slice(frame)
        {
            each(Heard::Resync(last_event_id));
        }
    }
}

/// What there is to say of it.
pub(super) fn about(_: Option<&Place>) -> About {
    About {
        name: "realtime-gateway".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        work: "HS256 token at the handshake, room from the token; events in a log of Redis, from which sessions resume; \
               revocations are followed. Idle sessions are measured with caps per company and user on, and each filters; all \
               else with every setting at its default, which is no caps, and sessions that want all events"
            .to_owned(),
    }
}

/// Caps that nobody reaches, so that they cost what they cost.
const CAPS: [(&str, &str); 2] =
    [("GATEWAY_MAX_CONNECTIONS_PER_COMPANY", "1000000"), ("GATEWAY_MAX_CONNECTIONS_PER_USER", "100")];

/// Starts one with its defaults, or with caps and sessions that filter.
pub(super) async fn start(place: &Place) -> anyhow::Result<Subject> {
    let settings = if place.limited { &CAPS[..] } else { &[] };
    let mut subject = Gateway::start(&place.gateway, &place.redis, &place.secret, settings).await?.subject()?;
    if place.limited {
        subject.dialect = Arc::new(Ours("/v1/ws?types=load:*".to_owned()));
    }
    Ok(subject)
}

impl Gateway {
    /// It, as something to measure, with a way to publish through Redis.
    pub(crate) fn subject(self) -> anyhow::Result<Subject> {
        let args = TargetArgs { redis: Some(self.redis.clone()), gateway: None };
        let target = Target::open(&args, || anyhow::bail!("Redis asks for no token"))?;
        Ok(Subject {
            host: self.public.to_string(),
            address: self.public,
            pids: vec![self.pid()],
            dialect: Arc::new(Ours::default()),
            mint: Mint::new(&self.secret.clone().into(), None, None),
            outlet: Some(Box::new(ToGateway::new(target)?)),
            admin: Some(self.metrics.parse()?),
            generator: "load".to_owned(),
            start_at: None,
            readers: 1,
            children: vec![self.child],
        })
    }
}

#[cfg(test)]
mod tests {
    use shared::{CompanyId, Cursor, Resume};

    use super::*;

    fn ticket(after: Option<Cursor>) -> Ticket {
        Ticket { number: 1, room: CompanyId::parse("acme").unwrap(), token: "a.b.c".to_owned(), after }
    }

    #[test]
    fn the_request_names_token_and_cursor() {
        let text = |path: &str, after| String::from_utf8(Ours(path.to_owned()).request("h:1", &ticket(after))).unwrap();
        assert!(text("/v1/ws", None).starts_with("GET /v1/ws HTTP/1.1\r\nHost: h:1\r\n"));
        assert!(text("/v1/ws", None).ends_with("Authorization: Bearer a.b.c\r\n\r\n"));
        let place = Some(Cursor { epoch: 7, seq: 3 });
        assert!(text("/v1/ws", place).starts_with("GET /v1/ws?lastEventId=7-3 "));
        assert!(text("/v1/ws?types=a:*", place).starts_with("GET /v1/ws?types=a:*&lastEventId=7-3 "));
    }

    #[test]
    fn the_welcome_lets_it_in_and_nothing_else() {
        let ours = Ours::default();
        assert_eq!(ours.greet(&ticket(None), None), Greeting::Wait);
        assert_eq!(ours.greet(&ticket(None), Some(b"{\"frame\":\"heartbeat\"}")), Greeting::Wait);
        assert!(matches!(ours.greet(&ticket(None), Some(b"hello")), Greeting::Refused(_)));
        let welcome = br#"{"frame":"welcome","session":"s","companyId":"acme","lastEventId":"7-3","resume":"recovered",
            "heartbeatMs":25000,"tokenExpiresAt":"2026-11-22T10:00:00Z"}"#;
        let at = Cursor { epoch: 7, seq: 3 };
        assert_eq!(ours.greet(&ticket(None), Some(welcome)), Greeting::Ready { at, resume: Resume::Recovered });
    }

    #[test]
    fn events_and_resyncs_are_heard_and_heartbeats_are_not() {
        let heard = |frame: &'static [u8]| {
            let mut all = Vec::new();
            Ours::default().hear(frame, &mut |heard| all.push(heard));
            all
        };
        let event = b"{\"frame\":\"event\",\"id\":\"7-4\",\"data\":{}}";
        assert_eq!(heard(event), [Heard::Placed(Cursor { epoch: 7, seq: 4 }, event)]);
        let resync = b"{\"frame\":\"resync\",\"reason\":\"x\",\"lastEventId\":\"7-9\"}";
        assert_eq!(heard(resync), [Heard::Resync(Cursor { epoch: 7, seq: 9 })]);
        assert_eq!(heard(b"{\"frame\":\"heartbeat\"}"), []);
    }
}

//! Sockudo: Pusher's protocol 7, one private channel per company, events through the Redis adapter's channel.

use std::borrow::Cow;

use aws_lc_rs::hmac;
use memchr::memmem;
use serde::Deserialize;
use serde_json::json;

use super::{Dialect, Greeting, Heard, Parcel, Ticket, upgrade};

/// The application of `sockudo.toml`: its id and its key.
const APPLICATION: &str = "loadtest";
/// In front of every event of Pusher's own.
const OWN: &[u8] = b"\"event\":\"pusher";

/// The protocol, with the application's secret.
pub(super) struct Sockudo(hmac::Key);

#[derive(Deserialize)]
struct Message<'a> {
    event: Cow<'a, str>,
    data: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Established {
    socket_id: String,
}

impl Sockudo {
    pub(super) fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// What an application's own server answers to one who may subscribe.
    fn subscription(&self, socket: &str, ticket: &Ticket) -> Vec<u8> {
        let channel = format!("private-{}", ticket.room);
        let signature = hmac::sign(&self.0, format!("{socket}:{channel}").as_bytes());
        let signature: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let data = json!({ "channel": channel, "auth": format!("{APPLICATION}:{signature}") });
        json!({ "event": "pusher:subscribe", "data": data }).to_string().into_bytes()
    }
}

impl Dialect for Sockudo {
    fn request(&self, host: &str, _: &Ticket) -> Vec<u8> {
        upgrade(host, &format!("/app/{APPLICATION}?protocol=7&client=loadtest&version=1"), "")
    }

    fn greet(&self, ticket: &Ticket, frame: Option<&[u8]>) -> Greeting {
        let Some(frame) = frame else { return Greeting::Wait };
        let Ok(message) = serde_json::from_slice::<Message<'_>>(frame) else {
            return Greeting::Refused(String::from_utf8_lossy(frame).into_owned());
        };
        let data = message.data.as_deref().unwrap_or_default();
        match message.event.as_ref() {
            "pusher:connection_established" => match serde_json::from_str::<Established>(data) {
                Ok(established) => Greeting::Say(self.subscription(&established.socket_id, ticket)),
                Err(error) => Greeting::Refused(format!("no socket_id: {error}")),
            },
            "pusher_internal:subscription_succeeded" => Greeting::READY,
            "pusher:error" | "pusher:subscription_error" => Greeting::Refused(data.to_owned()),
            _ => Greeting::Wait,
        }
    }

    fn hear<'a>(&self, frame: &'a [u8], each: &mut dyn FnMut(Heard<'a>)) {
        // Pusher's own messages name their event first or second, before any data.
        let front = &frame[..frame.len().min(64)];
        if memmem::find(front, OWN).is_none() {
            each(Heard::Event(frame));
        } else if memmem::find(front, b"pusher:ping").is_some() {
            each(Heard::Asked(Cow::Borrowed(b"{\"event\":\"pusher:pong\",\"data\":{}}")));
        } else if memmem::find(front, b"pusher:error").is_some() {
            each(Heard::Over(String::from_utf8_lossy(frame).into_owned()));
        }
    }
}

/// Channel and message as one node tells the others.
pub(super) fn message(parcel: &Parcel) -> anyhow::Result<(String, Vec<u8>)> {
    let channel = format!("private-{}", parcel.room);
    let broadcast = json!({
        "node_id": "publisher", "app_id": APPLICATION, "channel": channel, "message": frame(parcel), "except_socket_id": null,
    });
    Ok(("sockudo:#broadcast".to_owned(), broadcast.to_string().into_bytes()))
}

/// What a session gets.
pub(super) fn frame(parcel: &Parcel) -> String {
    json!({ "event": "event", "channel": format!("private-{}", parcel.room), "data": parcel.json }).to_string()
}

#[cfg(test)]
mod tests {
    use super::{super::peer::tests::*, *};

    #[test]
    fn who_has_a_socket_id_subscribes_with_a_signature() {
        let sockudo = Sockudo::new("secret");
        let greet = |frame: &'static str| sockudo.greet(&ticket(), Some(frame.as_bytes()));
        let established =
            r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"12.34\",\"activity_timeout\":25}"}"#;
        let Greeting::Say(said) = greet(established) else { panic!() };
        let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(said["event"], "pusher:subscribe");
        assert_eq!(said["data"]["channel"], "private-load-00001");
        let signed = hmac::sign(&sockudo.0, b"12.34:private-load-00001");
        let auth = said["data"]["auth"].as_str().unwrap().strip_prefix("loadtest:").unwrap();
        assert!(auth.starts_with(&format!("{:02x}", signed.as_ref()[0])));
        assert_eq!(auth.len(), 64);
        let succeeded =
            r#"{"event":"pusher_internal:subscription_succeeded","channel":"private-load-00001","data":"{}"}"#;
        assert_eq!(greet(succeeded), Greeting::READY);
        assert!(matches!(greet(r#"{"event":"pusher:error","data":"no"}"#), Greeting::Refused(_)));
    }

    #[test]
    fn events_pings_and_errors_are_told_apart() {
        let sockudo = Sockudo::new("secret");
        let event = frame(&parcel());
        assert_eq!(heard(&sockudo, event.as_bytes()), [Heard::Event(event.as_bytes())]);
        assert!(event.contains(r#"\"sentAtUs\":1"#));
        let pong = Heard::Asked(Cow::Borrowed(b"{\"event\":\"pusher:pong\",\"data\":{}}"));
        assert_eq!(heard(&sockudo, b"{\"event\":\"pusher:ping\",\"data\":\"{}\"}"), [pong]);
        assert_eq!(heard(&sockudo, b"{\"event\":\"pusher:pong\"}"), []);
        assert!(matches!(heard(&sockudo, b"{\"event\":\"pusher:error\",\"data\":{}}")[..], [Heard::Over(_)]));
    }
}

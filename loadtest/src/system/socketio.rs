//! Socket.IO, and NestJS on top of it: Engine.IO 4 over WebSocket alone, events through the Redis adapter's channel.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::Value;

use super::{Dialect, Greeting, Heard, Parcel, Ticket, upgrade};

/// What a packet of Socket.IO's is that carries an event.
const EVENT: u8 = 2;

/// The protocol.
pub(super) struct SocketIo;

impl Dialect for SocketIo {
    fn request(&self, host: &str, _: &Ticket) -> Vec<u8> {
        upgrade(host, "/socket.io/?EIO=4&transport=websocket", "")
    }

    fn greet(&self, ticket: &Ticket, frame: Option<&[u8]>) -> Greeting {
        match frame {
            Some([b'0', ..]) => Greeting::Say(format!("40{{\"token\":\"{}\"}}", ticket.token).into_bytes()),
            Some([b'4', b'0', ..]) => Greeting::READY,
            Some([b'4', b'4', why @ ..]) => Greeting::Refused(String::from_utf8_lossy(why).into_owned()),
            Some(b"2") => Greeting::Say(b"3".to_vec()),
            _ => Greeting::Wait,
        }
    }

    fn hear<'a>(&self, frame: &'a [u8], each: &mut dyn FnMut(Heard<'a>)) {
        match frame {
            [b'4', b'2', ..] => each(Heard::Event(frame)),
            b"2" => each(Heard::Asked(Cow::Borrowed(b"3"))),
            [b'4', b'1', ..] | b"1" => each(Heard::Over("disconnected by the server".to_owned())),
            _ => {}
        }
    }
}

#[derive(Serialize)]
struct Packet<'a> {
    #[serde(rename = "type")]
    kind: u8,
    data: (&'static str, Value),
    nsp: &'a str,
}

#[derive(Serialize)]
struct Options<'a> {
    rooms: [&'a str; 1],
    except: [&'a str; 0],
    flags: std::collections::BTreeMap<String, bool>,
}

/// Channel and message as `@socket.io/redis-emitter` publishes them.
pub(super) fn message(parcel: &Parcel) -> anyhow::Result<(String, Vec<u8>)> {
    let room = format!("company:{}", parcel.room);
    let packet = Packet { kind: EVENT, data: ("event", serde_json::from_str(&parcel.json)?), nsp: "/" };
    let options = Options { rooms: [&room], except: [], flags: Default::default() };
    Ok((format!("socket.io#/#{room}#"), rmp_serde::to_vec_named(&("loadtest", packet, options))?))
}

/// What a session gets.
pub(super) fn frame(parcel: &Parcel) -> String {
    format!("42[\"event\",{}]", parcel.json)
}

#[cfg(test)]
mod tests {
    use super::{super::peer::tests::*, *};

    #[test]
    fn the_token_follows_the_open_packet_and_is_judged() {
        let greet = |frame: &'static str| SocketIo.greet(&ticket(), Some(frame.as_bytes()));
        assert_eq!(SocketIo.greet(&ticket(), None), Greeting::Wait);
        let open = "0{\"sid\":\"JdlKHzmV-xHimSh4AAAA\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}";
        assert_eq!(greet(open), Greeting::Say(b"40{\"token\":\"a.b.c\"}".to_vec()));
        assert_eq!(greet("2"), Greeting::Say(b"3".to_vec()));
        assert_eq!(greet("40{\"sid\":\"BvHgGOaWAaPMe02SAAAA\"}"), Greeting::READY);
        let why = "{\"message\":\"unauthorized\"}";
        assert_eq!(greet("44{\"message\":\"unauthorized\"}"), Greeting::Refused(why.to_owned()));
    }

    #[test]
    fn events_pings_and_ends_are_told_apart() {
        let event = b"42[\"event\",{\"sentAtUs\":1,\"seq\":1}]";
        assert_eq!(heard(&SocketIo, event), [Heard::Event(event)]);
        assert_eq!(heard(&SocketIo, b"2"), [Heard::Asked(Cow::Borrowed(b"3"))]);
        assert!(matches!(heard(&SocketIo, b"41")[..], [Heard::Over(_)]));
        assert_eq!(heard(&SocketIo, b"40{\"sid\":\"x\"}"), []);
    }

    #[test]
    fn the_adapter_finds_room_and_data_where_it_looks() {
        let (channel, message) = message(&parcel()).unwrap();
        assert_eq!(channel, "socket.io#/#company:load-00001#");
        let (from, packet, options): (String, Value, Value) = rmp_serde::from_slice(&message).unwrap();
        assert_eq!(from, "loadtest");
        let event = serde_json::json!({ "type": 2, "data": ["event", { "sentAtUs": 1, "seq": 1 }], "nsp": "/" });
        assert_eq!(packet, event);
        assert_eq!(options, serde_json::json!({ "rooms": ["company:load-00001"], "except": [], "flags": {} }));
    }
}

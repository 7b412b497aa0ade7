//! The way of one session from its upgrade request until it is in, without I/O.

use std::{fmt, time::Duration};

use anyhow::{Context, bail};
use shared::{Cursor, Resume};

use super::{
    frames::{BINARY, CLOSE, PING, PONG, TEXT, masked, next_frame},
    handshake::{Answer, answer},
};
use crate::system::{Dialect, Greeting, Ticket};

/// The upgrade was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// With this status.
    pub(crate) status: u16,
    /// Not before this time has passed again.
    pub(crate) retry_after: Option<Duration>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.status)?;
        self.retry_after.map_or(Ok(()), |wait| write!(f, ", retry after {} s", wait.as_secs()))
    }
}

impl std::error::Error for Refused {}

/// What the bytes so far come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More bytes are needed.
    Wait,
    /// It is in.
    Ready {
        /// The place that it stands at.
        at: Cursor,
        /// What became of the place that it brought.
        resume: Resume,
    },
}

/// A session on its way in.
#[derive(Debug, Default)]
pub(super) struct Opening {
    switched: bool,
}

impl Opening {
    /// Takes what can be used off the front of `bytes`, and puts what is to be sent into `say`.
    pub(super) fn advance(
        &mut self,
        dialect: &dyn Dialect,
        ticket: &Ticket,
        bytes: &mut Vec<u8>,
        say: &mut Vec<u8>,
    ) -> anyhow::Result<Progress> {
        let opcode = if dialect.binary() { BINARY } else { TEXT };
        if !self.switched {
            match answer(bytes).context("not an HTTP answer")? {
                Answer::Partial => return Ok(Progress::Wait),
                Answer::Refused(status, retry_after) => bail!(Refused { status, retry_after }),
                Answer::Switched(length) => {
                    bytes.drain(..length);
                    self.switched = true;
                    if let Some(ready) = greeted(dialect.greet(ticket, None), opcode, say)? {
                        return Ok(ready);
                    }
                }
            }
        }
        while let Some((frame, used)) = next_frame(bytes).map_err(|error| anyhow::anyhow!("{error:?} frame"))? {
            let ready = match frame.opcode {
                TEXT | BINARY => greeted(dialect.greet(ticket, Some(frame.payload)), opcode, say)?,
                PING => {
                    say.extend(masked(PONG, frame.payload));
                    None
                }
                CLOSE => bail!("closed before it was in"),
                _ => None,
            };
            bytes.drain(..used);
            if let Some(ready) = ready {
                return Ok(ready);
            }
        }
        Ok(Progress::Wait)
    }
}

fn greeted(greeting: Greeting, opcode: u8, say: &mut Vec<u8>) -> anyhow::Result<Option<Progress>> {
    match greeting {
        Greeting::Wait => Ok(None),
        Greeting::Say(text) => {
            say.extend(masked(opcode, &text));
            Ok(None)
        }
        Greeting::Ready { at, resume } => Ok(Some(Progress::Ready { at, resume })),
        Greeting::Refused(why) => bail!("not let in: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use shared::CompanyId;

    use super::*;
    use crate::system::{Heard, upgrade};

    /// Says hello, is asked for a password, and is in with the second frame.
    struct Polite;

    impl Dialect for Polite {
        fn request(&self, host: &str, _: &Ticket) -> Vec<u8> {
            upgrade(host, "/", "")
        }

        fn greet(&self, ticket: &Ticket, frame: Option<&[u8]>) -> Greeting {
            match frame {
                None => Greeting::Wait,
                Some(b"who") => Greeting::Say(ticket.token.clone().into_bytes()),
                Some(b"in") => Greeting::READY,
                Some(_) => Greeting::Refused("unknown".to_owned()),
            }
        }

        fn hear<'a>(&self, _: &'a [u8], _: &mut dyn FnMut(Heard<'a>)) {}
    }

    #[test]
    fn a_session_comes_in_byte_by_byte() {
        let ticket = Ticket { number: 0, room: CompanyId::parse("a").unwrap(), token: "me".to_owned(), after: None };
        let input = b"HTTP/1.1 101 x\r\n\r\n\x81\x03who\x89\x01p\x81\x02in\x81\x04rest";
        let (mut opening, mut bytes, mut said, mut ready) = (Opening::default(), Vec::new(), Vec::new(), 0);
        for byte in input {
            bytes.push(*byte);
            if ready == 0 {
                let progress = opening.advance(&Polite, &ticket, &mut bytes, &mut said).unwrap();
                ready += usize::from(progress != Progress::Wait);
            }
        }
        assert_eq!((ready, bytes.as_slice()), (1, &b"\x81\x04rest"[..]), "what follows is left");
        assert_eq!(said, [masked(TEXT, b"me"), masked(PONG, b"p")].concat());
    }

    #[test]
    fn whoever_is_not_let_in_is_told_so() {
        let ticket = Ticket { number: 0, room: CompanyId::parse("a").unwrap(), token: String::new(), after: None };
        let end = |bytes: &[u8]| {
            let progress = Opening::default().advance(&Polite, &ticket, &mut bytes.to_vec(), &mut Vec::new());
            progress.unwrap_err().to_string()
        };
        assert_eq!(end(b"HTTP/1.1 503 x\r\nretry-after: 2\r\n\r\n"), "refused with 503, retry after 2 s");
        assert_eq!(end(b"HTTP/1.1 101 x\r\n\r\n\x81\x02no"), "not let in: unknown");
        assert_eq!(end(b"HTTP/1.1 101 x\r\n\r\n\x88\x00"), "closed before it was in");
    }
}

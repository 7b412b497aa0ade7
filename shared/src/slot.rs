//! Which slot of a Redis Cluster a name belongs to: CRC-16/XMODEM of the name, or of what its braces hold.

/// Slots of a cluster, each served by one shard.
pub const SLOTS: u16 = 16_384;

/// The slot of a key or a shard channel.
#[must_use]
pub fn slot(name: &str) -> u16 {
    crc16(tag(name).as_bytes()) % SLOTS
}

/// What counts of a name: what is between the first brace and the next closing one, unless that is nothing.
fn tag(name: &str) -> &str {
    let tagged = name.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    tagged.map(|(tag, _)| tag).filter(|tag| !tag.is_empty()).unwrap_or(name)
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CompanyId, EventId, keys};

    #[test]
    fn slots_are_those_of_redis() {
        // The first is the check value of the cluster specification, the others were asked of a Redis.
        assert_eq!(crc16(b"123456789"), 0x31c3);
        for (name, expected) in [("foo", 12_182), ("{foo}:bar", 12_182), ("a{}b{c}", 7_353), ("{", 4_092)] {
            assert_eq!(slot(name), expected, "{name}");
        }
        assert_eq!(slot("x{foo}{bar}"), slot("foo"));
        assert_ne!(slot("{}foo"), slot("foo"), "empty braces are part of the name");
    }

    #[test]
    fn all_of_a_company_shares_a_slot() {
        let company = CompanyId::parse("42").unwrap();
        let channel = slot(&keys::channel(&company));
        assert_eq!(slot(&keys::log(&company)), channel);
        assert_eq!(slot(&keys::idempotency(&company, &EventId::parse("e1").unwrap())), channel);
    }
}

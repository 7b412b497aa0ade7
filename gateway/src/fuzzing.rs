//! The doors through which strangers' bytes come in, each as one function that must not panic and that checks what must
//! hold of any bytes. The fuzz targets in `fuzz/` call them; the test below replays what the fuzzer found worth keeping.

use shared::{CompanyClaim, Cursor, Record, TypeFilter};

use crate::{
    auth::Verifier,
    config::{AuthConfig, KeySource},
    delivery::Delivery,
    http,
    session::fuzz_frames,
};

/// A client's bytes on the socket. Their messages are the same however the network cuts them; the first byte says how.
pub fn frames(bytes: &[u8]) {
    fuzz_frames(bytes);
}

/// A message on a company's channel, or an entry of its log.
pub fn record(bytes: &[u8]) {
    if let (Ok(record), Ok(delivery)) = (Record::parse(bytes), Delivery::decode(bytes)) {
        assert_eq!((record.id, record.frame.as_bytes()), (delivery.id, delivery.frame.json()));
        let again = Record::encode(record.id, &record.event_type, record.frame);
        assert_eq!(Record::parse(again.as_bytes()), Ok(record));
    }
}

/// The query of a client: its cursor and the types that it wants.
pub fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!(!cursor.follows(cursor));
    }
    if let Ok(patterns) = TypeFilter::parse_list(text) {
        let filter = TypeFilter::new(None, Some(patterns.clone()));
        let written: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        assert_eq!(TypeFilter::parse_list(&written.join(",")), Ok(patterns));
        assert!(!filter.passes("") || filter.passes_all());
    }
}

/// A token. Nobody who does not know the secret is let in.
pub fn token(bytes: &[u8]) {
    thread_local! {
        static VERIFIER: Verifier = {
            let secret = KeySource::Secret("the secret of the fuzz targets, 32 bytes".into());
            Verifier::new(&secret, &AuthConfig::default()).expect("a secret makes a verifier")
        };
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    VERIFIER.with(|verifier| assert!(verifier.verify(text).is_err(), "a forged token was let in"));
}

/// The body of a publish request. What is accepted is for the company that the token speaks for.
pub fn publish(bytes: &[u8]) {
    let claim: CompanyClaim = "acme".parse().expect("a company id");
    if let Ok(envelopes) = http::seal(bytes, None, |company| claim.covers(company)) {
        assert!(!envelopes.is_empty());
        for envelope in envelopes {
            let record = envelope.record(Cursor { epoch: 7, seq: 1 });
            let record = Record::parse(record.as_bytes()).expect("what is sealed is a record");
            let frame: serde_json::Value = serde_json::from_str(record.frame).expect("and its frame is JSON");
            assert_eq!(frame["companyId"], "acme");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Runs a target on every file of its corpus.
    fn replay(name: &str, target: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
        let mut files = 0;
        for file in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            target(&std::fs::read(file.unwrap().path()).unwrap());
            files += 1;
        }
        assert!(files > 0, "{name}: the corpus is empty");
    }

    #[test]
    fn the_corpus_of_frames_is_harmless() {
        replay("frames", super::frames);
    }

    #[test]
    fn the_corpus_of_records_is_harmless() {
        replay("record", super::record);
    }

    #[test]
    fn the_corpus_of_queries_is_harmless() {
        replay("query", super::query);
    }

    #[test]
    fn the_corpus_of_tokens_is_harmless() {
        replay("token", super::token);
    }

    #[test]
    fn the_corpus_of_publish_bodies_is_harmless() {
        replay("publish", super::publish);
    }
}

//! Which web pages may connect. A browser names its page in `Origin`; WebSockets are not subject to CORS, so without
//! this check any page could use a visitor's rights.

use std::str::FromStr;

use actix_http::header::{HOST, HeaderMap, ORIGIN};

/// One entry of the allow-list: `https://app.example.fr`, `http://localhost:*`, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Every origin.
    Any,
    /// This scheme and host, on any port.
    AnyPort(String),
    /// This one.
    Exact(String),
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        if text == "*" {
            return Ok(Self::Any);
        }
        let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        match authority {
            Some(authority) if !authority.is_empty() && !authority.contains(['/', '?', '#', ' ']) => {
                Ok(match text.strip_suffix(":*") {
                    Some(start) => Self::AnyPort(start.to_owned()),
                    None => Self::Exact(text),
                })
            }
            _ => Err("expected an origin such as https://app.example.fr, without a path".into()),
        }
    }
}

/// The allow-list.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// An allow-list of these.
    #[must_use]
    pub fn new(list: Vec<Origin>) -> Self {
        Self(list)
    }

    /// Whether a request with these headers may pass: it has no `Origin` (not a browser), comes from the gateway's own
    /// origin, or from one of the list.
    #[must_use]
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        let own = headers.get(HOST).and_then(|host| host.to_str().ok());
        own.is_some_and(|host| authority(origin).is_some_and(|from| from.eq_ignore_ascii_case(host)))
            || self.allows(origin)
    }

    /// Whether the list names this origin.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        self.0.iter().any(|entry| match entry {
            Origin::Any => true,
            Origin::Exact(exact) => *exact == origin,
            Origin::AnyPort(start) => origin.strip_prefix(start.as_str()).is_some_and(|rest| {
                rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
            }),
        })
    }
}

fn authority(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, authority)| authority)
}

#[cfg(test)]
mod tests {
    use actix_http::header::HeaderValue;

    use super::*;

    fn headers(origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("rt.example.fr:8080"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        headers
    }

    #[test]
    fn only_listed_origins_pass() {
        let list = ["https://app.example.fr", "http://localhost:*"].map(|entry| entry.parse().unwrap());
        let origins = Origins::new(list.to_vec());
        for passes in [
            None,
            Some("https://app.example.fr"),
            Some("HTTPS://APP.example.fr"),
            Some("http://localhost:5173"),
            Some("http://localhost"),
            Some("http://rt.example.fr:8080"),
        ] {
            assert!(origins.admit(&headers(passes)), "{passes:?}");
        }
        for stays in [
            "http://app.example.fr",
            "https://app.example.fr.evil.fr",
            "https://app.example.fr:444",
            "http://localhost.evil.fr",
            "http://localhost:5173.evil.fr",
            "null",
            "",
        ] {
            assert!(!origins.admit(&headers(Some(stays))), "{stays}");
        }
    }

    #[test]
    fn the_star_must_be_written_out() {
        assert!(!Origins::default().admit(&headers(Some("https://a.fr"))));
        assert!(Origins::new(vec![Origin::Any]).admit(&headers(Some("https://a.fr"))));
        for bad in ["app.example.fr", "https://", "https://a.fr/path", "ftp://a.fr"] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}

use anyhow::{Context, Result, ensure};
use jsonwebtoken::{Header, Validation, jwk::Jwk};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AuthError, key::Key};
use crate::defaults::MAX_JWKS_KEYS;

/// The keys of a JWKS that tokens may be signed with.
#[derive(Default)]
pub(super) struct KeySet(Vec<(Option<String>, Key)>);

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl KeySet {
    /// Reads a document. What in it is no key, or none that could sign, is left out, as RFC 7517 wants it.
    ///
    /// # Errors
    /// When nothing is left.
    pub(super) fn parse(document: &[u8], rules: &Validation) -> Result<Self> {
        let Document { keys } = serde_json::from_slice(document).context("it is no JSON Web Key Set")?;
        let all = keys.len();
        let usable = |text: &RawValue| {
            let jwk: Jwk = serde_json::from_str(text.get()).ok()?;
            Some((jwk.common.key_id.clone(), Key::of_jwk(&jwk, rules)?))
        };
        let keys: Vec<_> = keys.into_iter().filter_map(usable).take(MAX_JWKS_KEYS).collect();
        ensure!(!keys.is_empty(), "none of its {all} keys is for RS256, PS256, ES256 or EdDSA signatures");
        Ok(Self(keys))
    }

    /// The key for a token: the one of its `kid`; without a `kid`, the only one.
    pub(super) fn choose(&self, header: &Header) -> Result<&Key, AuthError> {
        if self.0.is_empty() {
            return Err(AuthError::NoKeys);
        }
        match (&header.kid, &*self.0) {
            (None, [(_, only)]) => Ok(only),
            (None, _) => Err(AuthError::Signature),
            (Some(wanted), keys) => {
                let mut named = keys.iter().filter(|(kid, _)| kid.as_ref() == Some(wanted)).peekable();
                named.peek().ok_or(AuthError::UnknownKey)?;
                named.map(|(_, key)| key).find(|key| key.is_for(header.alg)).ok_or(AuthError::Signature)
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Algorithm;
    use serde_json::{Value, json};

    use super::*;

    fn key(kid: Value) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    fn set(keys: Value) -> Result<KeySet> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), &Validation::default())
    }

    fn choose(set: &KeySet, algorithm: Algorithm, kid: Option<&str>) -> Result<(), AuthError> {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
        set.choose(&header).map(drop)
    }

    #[test]
    fn what_is_no_key_for_signatures_is_left_out() {
        let oct = json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "o" });
        let kept = set(json!([oct, 7, null, {}, key(json!("a")), key(json!(7)), { "kty": "EC" }])).unwrap();
        assert_eq!(kept.len(), 1);
        assert!(set(json!([oct])).is_err());
        assert!(set(json!([])).is_err());
        assert!(set(json!({})).is_err());
        assert_eq!(set(json!(vec![key(json!("a")); 1_000])).unwrap().len(), MAX_JWKS_KEYS);
    }

    #[test]
    fn a_token_names_its_key_unless_there_is_only_one() {
        let one = set(json!([key(json!("a"))])).unwrap();
        assert_eq!(choose(&one, Algorithm::EdDSA, Some("a")), Ok(()));
        assert_eq!(choose(&one, Algorithm::EdDSA, None), Ok(()));
        assert_eq!(choose(&one, Algorithm::EdDSA, Some("b")), Err(AuthError::UnknownKey));
        assert_eq!(choose(&one, Algorithm::HS256, Some("a")), Err(AuthError::Signature));
        let two = set(json!([key(json!("a")), key(json!("b"))])).unwrap();
        assert_eq!(choose(&two, Algorithm::EdDSA, None), Err(AuthError::Signature));
        assert_eq!(choose(&KeySet::default(), Algorithm::EdDSA, Some("a")), Err(AuthError::NoKeys));
    }
}

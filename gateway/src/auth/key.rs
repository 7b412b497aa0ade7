//! One key that tokens may be signed with, and the algorithms that go with it. They follow the key, never the token.

use anyhow::{Result, bail, ensure};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    errors::{Error, ErrorKind},
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use secrecy::{ExposeSecret, SecretString};
use shared::Claims;

use super::AuthError;
use crate::defaults::MIN_RSA_BYTES;

const RSA: &[Algorithm] = &[Algorithm::RS256, Algorithm::PS256];
const EC: &[Algorithm] = &[Algorithm::ES256];
const ED: &[Algorithm] = &[Algorithm::EdDSA];

/// The bytes of a point on P-256 as PEM files hold it.
const P256_POINT: usize = 65;

/// A key, and what is asked of a token that is signed with it.
pub(super) struct Key {
    key: DecodingKey,
    rules: Validation,
}

impl Key {
    fn new(key: DecodingKey, algorithms: Vec<Algorithm>, rules: &Validation) -> Self {
        Self { key, rules: Validation { algorithms, ..rules.clone() } }
    }

    /// A shared secret: HS256.
    pub(super) fn of_secret(secret: &SecretString, rules: &Validation) -> Self {
        Self::new(DecodingKey::from_secret(secret.expose_secret().as_bytes()), vec![Algorithm::HS256], rules)
    }

    /// The public key in a PEM text.
    ///
    /// # Errors
    /// When it is of no supported kind.
    pub(super) fn of_pem(pem: &str, rules: &Validation) -> Result<Self> {
        let bytes = pem.as_bytes();
        ensure!(pem.contains("PUBLIC KEY-----"), "expected a PEM file with a PUBLIC KEY");
        let size = |key: &DecodingKey| key.try_get_as_bytes().map_or(0, <[u8]>::len);
        if let Ok(key) = DecodingKey::from_rsa_pem(bytes) {
            ensure!(size(&key) > MIN_RSA_BYTES, "an RSA key needs 2048 bits");
            return Ok(Self::new(key, RSA.to_vec(), rules));
        }
        if let Ok(key) = DecodingKey::from_ec_pem(bytes) {
            ensure!(size(&key) == P256_POINT, "of the elliptic curves only P-256 (ES256) is supported");
            return Ok(Self::new(key, EC.to_vec(), rules));
        }
        match DecodingKey::from_ed_pem(bytes) {
            Ok(key) => Ok(Self::new(key, ED.to_vec(), rules)),
            Err(_) => bail!("not an RSA, P-256 or Ed25519 public key"),
        }
    }

    /// A key of a set; `None` when it is not for signatures, or of no supported kind. A symmetric key that anybody can
    /// fetch is none.
    pub(super) fn of_jwk(jwk: &Jwk, rules: &Validation) -> Option<Self> {
        let family = match &jwk.algorithm {
            // Four characters are three bytes.
            AlgorithmParameters::RSA(rsa) if rsa.n.len() * 3 / 4 >= MIN_RSA_BYTES => RSA,
            AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => EC,
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => ED,
            _ => return None,
        };
        let common = &jwk.common;
        let for_signatures = common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
            && common.key_operations.as_ref().is_none_or(|allowed| allowed.contains(&KeyOperations::Verify));
        let named =
            |algorithm: &&Algorithm| common.key_algorithm.is_none_or(|name| name == KeyAlgorithm::from(**algorithm));
        let algorithms: Vec<_> = family.iter().filter(named).copied().collect();
        if !for_signatures || algorithms.is_empty() {
            return None;
        }
        Some(Self::new(DecodingKey::from_jwk(jwk).ok()?, algorithms, rules))
    }

    /// Whether tokens under this algorithm may be signed with it.
    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.rules.algorithms.contains(&algorithm)
    }

    /// Checks signature and claims.
    pub(super) fn verify(&self, token: &str) -> Result<Claims, AuthError> {
        match jsonwebtoken::decode::<Claims>(token, &self.key, &self.rules) {
            Ok(data) => Ok(data.claims),
            Err(error) => Err(reason(&error)),
        }
    }
}

fn reason(error: &Error) -> AuthError {
    match error.kind() {
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            AuthError::Signature
        }
        ErrorKind::ExpiredSignature => AuthError::Expired,
        ErrorKind::ImmatureSignature => AuthError::Immature,
        ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => AuthError::Audience,
        ErrorKind::MissingRequiredClaim(claim) if claim == "iss" || claim == "aud" => AuthError::Audience,
        _ => AuthError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The example of RFC 7517, appendix A.1, with members of the test's own.
    fn ec(members: Value) -> Value {
        let mut key = json!({
            "kty": "EC", "crv": "P-256",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        });
        let (Value::Object(key_members), Value::Object(more)) = (&mut key, members) else { unreachable!() };
        key_members.extend(more);
        key
    }

    fn algorithms(jwk: Value) -> Option<Vec<Algorithm>> {
        let jwk: Jwk = serde_json::from_value(jwk).unwrap();
        Key::of_jwk(&jwk, &Validation::default()).map(|key| key.rules.algorithms)
    }

    #[test]
    fn a_key_is_used_for_what_it_is_meant_for() {
        for good in [json!({}), json!({"use": "sig"}), json!({"key_ops": ["verify"]}), json!({"alg": "ES256"})] {
            assert_eq!(algorithms(ec(good.clone())), Some(EC.to_vec()), "{good}");
        }
        for bad in [
            json!({"use": "enc"}),
            json!({"use": "other"}),
            json!({"key_ops": ["encrypt"]}),
            json!({"key_ops": []}),
            json!({"alg": "ES384"}),
            json!({"alg": "RS256"}),
            json!({"alg": "HS256"}),
            json!({"alg": "unheard-of"}),
            json!({"crv": "P-384"}),
        ] {
            assert_eq!(algorithms(ec(bad.clone())), None, "{bad}");
        }
        let modulus = |characters: usize| json!({"kty": "RSA", "e": "AQAB", "n": "x".repeat(characters)});
        assert_eq!(algorithms(modulus(344)), Some(RSA.to_vec()));
        assert_eq!(algorithms(modulus(172)), None, "1024 bits");
        assert_eq!(algorithms(json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"})), None, "symmetric");
        assert_eq!(algorithms(json!({"kty": "future", "z": 1})), None);
    }

    #[test]
    fn an_rsa_key_that_names_its_algorithm_is_for_that_alone() {
        let key = json!({"kty": "RSA", "alg": "PS256", "e": "AQAB", "n": "x".repeat(344)});
        assert_eq!(algorithms(key), Some(vec![Algorithm::PS256]));
    }
}

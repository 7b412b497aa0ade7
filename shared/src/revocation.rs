//! Cutting somebody off: whose tokens count no more.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{CompanyId, TokenId, UserId};

/// The longest that a revocation may last, a year: longer than any token should live.
pub const MAX_REVOCATION_SECS: u64 = 366 * 24 * 3600;

/// Whose tokens: those to which everything applies that is set. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(!try_from))]
#[serde(rename_all = "camelCase", try_from = "Parts")]
pub struct Target {
    /// Tokens of this company.
    #[serde(skip_serializing_if = "Option::is_none")]
    company_id: Option<CompanyId>,
    /// Tokens of this user; of the user of this name in every company, if none is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    /// The token with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<TokenId>,
}

/// A target without anything in it would be everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a revocation names at least one of companyId, userId, jti")]
pub struct TargetError;

impl Target {
    /// Tokens to which all of these apply.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(
        company_id: Option<CompanyId>,
        user_id: Option<UserId>,
        jti: Option<TokenId>,
    ) -> Result<Self, TargetError> {
        if company_id.is_none() && user_id.is_none() && jti.is_none() {
            return Err(TargetError);
        }
        Ok(Self { company_id, user_id, jti })
    }

    /// Every token of a company.
    #[must_use]
    pub fn company(company: &CompanyId) -> Self {
        Self { company_id: Some(company.clone()), user_id: None, jti: None }
    }

    /// Every token of a user of a company.
    #[must_use]
    pub fn user(company: &CompanyId, user: &UserId) -> Self {
        Self { user_id: Some(user.clone()), ..Self::company(company) }
    }

    /// One token.
    #[must_use]
    pub fn token(jti: &TokenId) -> Self {
        Self { company_id: None, user_id: None, jti: Some(jti.clone()) }
    }

    /// The company that it is about, if it is about one.
    #[must_use]
    pub fn company_id(&self) -> Option<&CompanyId> {
        self.company_id.as_ref()
    }

    /// It is about one token, not about whoever comes with tokens issued before.
    #[must_use]
    pub fn is_one_token(&self) -> bool {
        self.jti.is_some()
    }

    /// Every target that a token with these claims is one of: at most seven.
    pub fn of_token(company: Option<&CompanyId>, user: &UserId, jti: Option<&TokenId>) -> impl Iterator<Item = Self> {
        (1..8u8).filter_map(move |which| {
            let by = |bit: u8| which & bit != 0;
            let target = Self {
                company_id: company.filter(|_| by(1)).cloned(),
                user_id: by(2).then(|| user.clone()),
                jti: jti.filter(|_| by(4)).cloned(),
            };
            // What the token lacks cannot be asked for.
            (by(1) == target.company_id.is_some() && by(4) == target.jti.is_some()).then_some(target)
        })
    }
}

/// What a target is read from.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    #[serde(default)]
    company_id: Option<CompanyId>,
    #[serde(default)]
    user_id: Option<UserId>,
    #[serde(default)]
    jti: Option<TokenId>,
}

impl TryFrom<Parts> for Target {
    type Error = TargetError;

    fn try_from(parts: Parts) -> Result<Self, TargetError> {
        Self::new(parts.company_id, parts.user_id, parts.jti)
    }
}

/// From when on whose tokens are refused, and until when.
///
/// ```
/// use std::time::Duration;
/// use shared::{CompanyId, Revocation, Target};
///
/// let everybody = Target::company(&CompanyId::parse("acme")?);
/// let revocation = Revocation::new(everybody, 1_763_800_000, Duration::from_secs(3_600));
/// assert_eq!(revocation.until, 1_763_803_600);
/// # Ok::<(), shared::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Whose.
    #[serde(flatten)]
    pub target: Target,
    /// Unix time in seconds at which it was asked for: tokens issued later are new ones.
    pub at: u64,
    /// Unix time in seconds at which it ends, because what it is about has expired by then.
    pub until: u64,
}

impl Revocation {
    /// Refuses the target's tokens from `now` on, for as long as any of them lives.
    #[must_use]
    pub fn new(target: Target, now: u64, lasts: Duration) -> Self {
        Self { target, at: now, until: now.saturating_add(lasts.as_secs().min(MAX_REVOCATION_SECS)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(json: &str) -> Result<Target, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_target_is_never_everybody() {
        for bad in ["{}", r#"{"companyId":null}"#, r#"{"companyId":"*"}"#, r#"{"userId":""}"#, r#"{"jti":7}"#] {
            assert!(target(bad).is_err(), "{bad}");
        }
        assert_eq!(Target::new(None, None, None), Err(TargetError));
    }

    #[test]
    fn a_revocation_reads_as_it_is_written() {
        let target = target(r#"{"userId":"anna","companyId":"acme"}"#).unwrap();
        let revocation = Revocation::new(target, 100, Duration::from_secs(50));
        let text = serde_json::to_string(&revocation).unwrap();
        assert_eq!(text, r#"{"companyId":"acme","userId":"anna","at":100,"until":150}"#);
        assert_eq!(serde_json::from_str::<Revocation>(&text).unwrap(), revocation);
    }

    #[test]
    fn a_token_is_met_by_each_of_its_claims_and_by_all_of_them() {
        let (company, user) = (CompanyId::parse("acme").unwrap(), UserId::parse("anna").unwrap());
        let jti = TokenId::parse("t-1").unwrap();
        let all: Vec<_> = Target::of_token(Some(&company), &user, Some(&jti)).collect();
        assert_eq!(all.len(), 7);
        for hit in [Target::company(&company), Target::user(&company, &user), Target::token(&jti)] {
            assert!(all.contains(&hit), "{hit:?}");
        }
        assert_eq!(Target::of_token(Some(&company), &user, None).count(), 3);
        assert_eq!(Target::of_token(None, &user, Some(&jti)).count(), 3);
        assert!(!Target::of_token(Some(&company), &user, None).any(|target| target.is_one_token()));
    }
}

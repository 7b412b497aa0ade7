//! Whose a connection is, and for whom it counts.

use shared::{CompanyId, UserId};

use super::Full;

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Company(CompanyId),
    User(CompanyId, UserId),
}

impl Subject {
    pub(super) fn kind(&self) -> Full {
        match self {
            Self::Company(_) => Full::Company,
            Self::User(..) => Full::User,
        }
    }

    /// Its field in Redis. A company id has no colon, so no two subjects share one.
    pub(super) fn field(&self) -> String {
        match self {
            Self::Company(company) => format!("c:{company}"),
            Self::User(company, user) => format!("u:{company}:{user}"),
        }
    }
}

/// Whose a connection is, and which of the two has a limit.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) company: CompanyId,
    pub(super) user: UserId,
    pub(super) by_company: bool,
    pub(super) by_user: bool,
}

impl Owner {
    /// For whom it counts. Made when asked for: there is an owner for each connection.
    pub(super) fn subjects(&self) -> impl Iterator<Item = Subject> {
        let company = self.by_company.then(|| Subject::Company(self.company.clone()));
        let user = self.by_user.then(|| Subject::User(self.company.clone(), self.user.clone()));
        company.into_iter().chain(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_subjects_share_a_field() {
        let company = CompanyId::parse("a").unwrap();
        let user = UserId::parse("b:c").unwrap();
        assert_eq!(Subject::User(company.clone(), user).field(), "u:a:b:c");
        assert_eq!(Subject::Company(company).field(), "c:a");
    }
}

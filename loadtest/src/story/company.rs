//! A company and its people, which follow from its number alone: the first is `plomberie-lefevre` for ever.

use shared::{CompanyId, IdError};

use super::{
    dice::Dice,
    words::{ELECTRICITY, ELECTRICITY_URGENT, FAMILIES, FIRST_NAMES, PLUMBING, PLUMBING_URGENT, TOWNS, Work},
};

/// What a company does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trade {
    /// Water, heating.
    Plumber,
    /// Current.
    Electrician,
}

impl Trade {
    /// What is quoted.
    pub(super) fn works(self) -> &'static [Work] {
        match self {
            Self::Plumber => PLUMBING,
            Self::Electrician => ELECTRICITY,
        }
    }

    /// What is done at once, without a quote.
    pub(super) fn emergencies(self) -> &'static [Work] {
        match self {
            Self::Plumber => PLUMBING_URGENT,
            Self::Electrician => ELECTRICITY_URGENT,
        }
    }
}

/// One company of the story.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    /// Its number, from 0.
    pub(super) number: u32,
    /// Its id: `plomberie-lefevre`.
    pub(crate) id: CompanyId,
    /// Its name: "Plomberie Lefèvre".
    pub(crate) name: String,
    pub(super) trade: Trade,
    /// Its town and two places around.
    pub(super) towns: [&'static str; 3],
    /// Who answers the telephone and writes quotes.
    pub(super) office: Vec<String>,
    /// Who drives out.
    pub(super) technicians: Vec<String>,
}

impl Company {
    /// The company of this number.
    ///
    /// # Errors
    /// Never in practice: the id is made of letters, digits and dashes.
    pub(crate) fn nth(number: u32) -> Result<Self, IdError> {
        let mut dice = Dice::new([0x7472_6164_6573, number.into(), 0, 0]);
        let trade = if number.is_multiple_of(2) { Trade::Plumber } else { Trade::Electrician };
        let family = FAMILIES[number as usize % FAMILIES.len()];
        let round = number as usize / FAMILIES.len();
        let word = match trade {
            Trade::Plumber => "Plomberie",
            Trade::Electrician => "Électricité",
        };
        let suffix = if round == 0 { String::new() } else { format!(" {}", round + 1) };
        let name = format!("{word} {family}{suffix}");
        let mut person = || format!("{} {}", dice.pick(FIRST_NAMES), dice.pick(FAMILIES));
        let office = vec![format!("{} {family}", FIRST_NAMES[number as usize % FIRST_NAMES.len()]), person()];
        let mut technicians: Vec<String> = Vec::new();
        while technicians.len() < 3 {
            let person = person();
            if !technicians.contains(&person) {
                technicians.push(person);
            }
        }
        let towns = TOWNS[number as usize % TOWNS.len()];
        Ok(Self { number, id: CompanyId::parse(&slug(&name))?, name, trade, towns, office, technicians })
    }

    /// The first `count` companies.
    pub(crate) fn first(count: u32) -> Result<Vec<Self>, IdError> {
        (0..count).map(Self::nth).collect()
    }
}

fn slug(name: &str) -> String {
    let plain = |letter: char| match letter {
        'é' | 'è' | 'ê' | 'É' => 'e',
        'ç' => 'c',
        'ï' => 'i',
        ' ' => '-',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_company_has_a_name_for_ever() {
        let first = Company::nth(0).unwrap();
        assert_eq!((first.id.as_str(), first.name.as_str()), ("plomberie-lefevre", "Plomberie Lefèvre"));
        assert_eq!(Company::nth(1).unwrap().id.as_str(), "electricite-moreau");
    }

    #[test]
    fn a_thousand_companies_have_ids_of_their_own() {
        let mut ids: Vec<_> = Company::first(1000).unwrap().into_iter().map(|company| company.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 1000);
    }
}

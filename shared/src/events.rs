//! The business events: one struct each, with what a dashboard needs to show it without asking back.
//!
//! To add one, write it into `catalog!` below; its JSON Schema and TypeScript type follow by `make schema`. An
//! application may also publish a type of its own: any `Serialize` struct that implements [`Event`].
//!
//! In JSON the fields are camelCase, amounts are euro cents, moments are RFC 3339 in UTC.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Something that can be published: a struct and the name of what happened.
///
/// ```
/// #[derive(serde::Serialize)]
/// struct StockLow { article: String, left: u32 }
///
/// impl shared::Event for StockLow {
///     const TYPE: &'static str = "stock:low";
/// }
/// ```
pub trait Event: Serialize {
    /// The event's type, `<noun>:<verb>`, each part 1 to 32 of `a-z 0-9 _ -`.
    const TYPE: &'static str;
}

macro_rules! catalog {
    ($(
        $(#[$doc:meta])*
        $name:ident = $type:literal { $( $(#[$field_doc:meta])* $field:ident: $field_type:ty, )* }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
            #[serde(rename_all = "camelCase")]
            pub struct $name { $( $(#[$field_doc])* pub $field: $field_type, )* }

            impl Event for $name {
                const TYPE: &'static str = $type;
            }
        )*

        /// The types of the catalog, in its order.
        pub const TYPES: &[&str] = &[$($type),*];

        /// The schema of `data` by type.
        #[cfg(feature = "schema")]
        pub(crate) fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
            vec![$(($type, generator.subschema_for::<$name>())),*]
        }
    };
}

catalog! {
    /// A quote was drawn up.
    DevisCreated = "devis:created" {
        /// Identifier of the quote.
        devis_id: String,
        /// Its number as printed: `D-2026-041`.
        number: String,
        /// What it is about: "Remplacement chauffe-eau".
        title: String,
        /// Identifier of the customer.
        client_id: String,
        /// The customer as shown: "Mme Lefèvre".
        client_name: String,
        /// Total with VAT in euro cents.
        amount_cents: i64,
        /// Who drew it up.
        created_by: String,
        /// When.
        created_at: DateTime<Utc>,
    }

    /// The customer signed a quote.
    DevisSigned = "devis:signed" {
        /// Identifier of the quote.
        devis_id: String,
        /// Its number as printed: `D-2026-041`.
        number: String,
        /// Identifier of the customer.
        client_id: String,
        /// The customer as shown: "Mme Lefèvre".
        client_name: String,
        /// Total with VAT in euro cents.
        amount_cents: i64,
        /// Who signed.
        signed_by: String,
        /// When.
        signed_at: DateTime<Utc>,
    }

    /// The customer refused a quote.
    DevisRejected = "devis:rejected" {
        /// Identifier of the quote.
        devis_id: String,
        /// Its number as printed: `D-2026-041`.
        number: String,
        /// Identifier of the customer.
        client_id: String,
        /// The customer as shown: "Mme Lefèvre".
        client_name: String,
        /// Total with VAT in euro cents.
        amount_cents: i64,
        /// Why, in the customer's words.
        reason: String,
        /// Who refused.
        rejected_by: String,
        /// When.
        rejected_at: DateTime<Utc>,
    }

    /// An invoice was issued.
    FactureCreated = "facture:created" {
        /// Identifier of the invoice.
        facture_id: String,
        /// Its number as printed: `F-2026-112`.
        number: String,
        /// The quote that it bills, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        devis_id: Option<String>,
        /// Identifier of the customer.
        client_id: String,
        /// The customer as shown.
        client_name: String,
        /// Total with VAT in euro cents.
        amount_cents: i64,
        /// Day by which it is to be paid.
        due_on: NaiveDate,
        /// Who issued it.
        created_by: String,
        /// When.
        created_at: DateTime<Utc>,
    }

    /// An invoice was paid.
    FacturePaid = "facture:paid" {
        /// Identifier of the invoice.
        facture_id: String,
        /// Its number as printed: `F-2026-112`.
        number: String,
        /// Identifier of the customer.
        client_id: String,
        /// The customer as shown.
        client_name: String,
        /// What was paid, in euro cents.
        amount_cents: i64,
        /// How it was paid.
        method: PaymentMethod,
        /// When.
        paid_at: DateTime<Utc>,
    }

    /// A technician started a job.
    InterventionStarted = "intervention:started" {
        /// Identifier of the job.
        intervention_id: String,
        /// What is done: "Recherche de fuite".
        title: String,
        /// Identifier of the customer.
        client_id: String,
        /// The customer as shown.
        client_name: String,
        /// Where: "12 rue des Lilas, Nantes".
        address: String,
        /// Who is there.
        technician_name: String,
        /// When.
        started_at: DateTime<Utc>,
    }

    /// A job is finished.
    InterventionCompleted = "intervention:completed" {
        /// Identifier of the job.
        intervention_id: String,
        /// What was done.
        title: String,
        /// Identifier of the customer.
        client_id: String,
        /// The customer as shown.
        client_name: String,
        /// Who was there.
        technician_name: String,
        /// Minutes between start and end.
        duration_minutes: u32,
        /// When.
        completed_at: DateTime<Utc>,
    }

    /// A customer was added.
    ClientCreated = "client:created" {
        /// Identifier of the customer.
        client_id: String,
        /// The customer as shown.
        client_name: String,
        /// Town.
        city: String,
        /// Telephone number, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<String>,
        /// Who added it.
        created_by: String,
        /// When.
        created_at: DateTime<Utc>,
    }

    /// A customer wrote.
    MessageReceived = "message:received" {
        /// Identifier of the message.
        message_id: String,
        /// Identifier of the customer.
        client_id: String,
        /// The customer as shown.
        client_name: String,
        /// How it came.
        channel: MessageChannel,
        /// The first words of it.
        preview: String,
        /// When.
        received_at: DateTime<Utc>,
    }
}

/// How an invoice was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum PaymentMethod {
    /// Bank transfer.
    Transfer,
    /// Card.
    Card,
    /// Cheque.
    Cheque,
    /// Cash.
    Cash,
    /// Direct debit.
    DirectDebit,
}

/// How a customer's message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum MessageChannel {
    /// The application itself.
    App,
    /// E-mail.
    Email,
    /// SMS.
    Sms,
    /// Telephone, typed in by somebody.
    Phone,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventType;

    #[test]
    fn every_type_of_the_catalog_is_well_formed_and_unique() {
        for event_type in TYPES {
            assert!(EventType::parse(event_type).is_ok(), "{event_type}");
        }
        let mut unique = TYPES.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), TYPES.len());
    }

    #[test]
    fn json_is_camel_case_with_cents_and_utc() {
        let event = DevisSigned {
            devis_id: "d1".into(),
            number: "D-2026-041".into(),
            client_id: "c1".into(),
            client_name: "Mme Lefèvre".into(),
            amount_cents: 482_000,
            signed_by: "Mme Lefèvre".into(),
            signed_at: DateTime::UNIX_EPOCH,
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["clientName"], "Mme Lefèvre");
        assert_eq!(json["amountCents"], 482_000);
        assert_eq!(json["signedAt"], "1970-01-01T00:00:00Z");
        assert_eq!(serde_json::from_value::<DevisSigned>(json).unwrap(), event);
    }
}

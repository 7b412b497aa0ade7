//! The catalog's events as one value: told by the story, read back by `watch`, said in one French line.

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared::{CompanyId, Envelope, EnvelopeError, Event, EventId, events::*};

macro_rules! business {
    ($($variant:ident { $moment:ident })*) => {
        /// One business event of the catalog.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) enum Business { $(#[doc = "See the catalog."] $variant($variant),)* }

        impl Business {
            /// Reads the data of an event; `None` for a type or a shape that is not of the catalog.
            pub(crate) fn parse(event_type: &str, data: &Value) -> Option<Self> {
                use serde::Deserialize;
                $(if event_type == $variant::TYPE { return $variant::deserialize(data).ok().map(Self::$variant); })*
                None
            }

            /// The event's type.
            pub(crate) fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => $variant::TYPE,)* }
            }

            /// The same fact at another moment.
            pub(crate) fn at(mut self, moment: DateTime<Utc>) -> Self {
                match &mut self { $(Self::$variant(event) => event.$moment = moment,)* }
                self
            }

            /// Seals it for the log of a company.
            pub(crate) fn seal(
                &self, company: &CompanyId, event_id: EventId, time: DateTime<Utc>,
            ) -> Result<Envelope, EnvelopeError> {
                match self { $(Self::$variant(event) => Envelope::typed(company, event_id, time, event),)* }
            }
        }
    };
}

business! {
    DevisCreated { created_at }
    DevisSigned { signed_at }
    DevisRejected { rejected_at }
    FactureCreated { created_at }
    FacturePaid { paid_at }
    InterventionStarted { started_at }
    InterventionCompleted { completed_at }
    ClientCreated { created_at }
    MessageReceived { received_at }
}

impl Business {
    /// What happened, for people.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::DevisCreated(e) => {
                format!("Devis {} établi pour {} : {}, {}", e.number, e.client_name, e.title, euros(e.amount_cents))
            }
            Self::DevisSigned(e) => format!("Devis {} signé par {}, {}", e.number, e.signed_by, euros(e.amount_cents)),
            Self::DevisRejected(e) => {
                format!("Devis {} refusé par {}, {} : « {} »", e.number, e.rejected_by, euros(e.amount_cents), e.reason)
            }
            Self::FactureCreated(e) => format!(
                "Facture {} émise pour {}, {}, échéance {}",
                e.number,
                e.client_name,
                euros(e.amount_cents),
                e.due_on.format("%d/%m/%Y")
            ),
            Self::FacturePaid(e) => format!(
                "Facture {} payée par {} {}, {}",
                e.number,
                e.client_name,
                method(e.method),
                euros(e.amount_cents)
            ),
            Self::InterventionStarted(e) => {
                format!("{} commence chez {} : {} ({})", e.technician_name, e.client_name, e.title, e.address)
            }
            Self::InterventionCompleted(e) => format!(
                "{} a terminé chez {} en {} : {}",
                e.technician_name,
                e.client_name,
                duration(e.duration_minutes),
                e.title
            ),
            Self::ClientCreated(e) => format!("Nouveau client : {} ({})", e.client_name, e.city),
            Self::MessageReceived(e) => format!("{} de {} : « {} »", channel(e.channel), e.client_name, e.preview),
        }
    }
}

/// `4 820 €`, with cents only where there are some.
fn euros(cents: i64) -> String {
    let whole = (cents / 100).unsigned_abs().to_string();
    let mut text = String::from(if cents < 0 { "-" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    if cents % 100 != 0 {
        text.push_str(&format!(",{:02}", (cents % 100).abs()));
    }
    text + "\u{a0}€"
}

fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02}"),
    }
}

fn method(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Transfer => "par virement",
        PaymentMethod::Card => "par carte",
        PaymentMethod::Cheque => "par chèque",
        PaymentMethod::Cash => "en espèces",
        PaymentMethod::DirectDebit => "par prélèvement",
        _ => "",
    }
}

fn channel(channel: MessageChannel) -> &'static str {
    match channel {
        MessageChannel::App => "Message",
        MessageChannel::Email => "E-mail",
        MessageChannel::Sms => "SMS",
        MessageChannel::Phone => "Appel",
        _ => "Nouvelle",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_the_french_way() {
        let plain = |cents| euros(cents).replace('\u{a0}', " ");
        assert_eq!(plain(482_000), "4 820 €");
        assert_eq!(plain(12_990), "129,90 €");
        assert_eq!(plain(123_456_705), "1 234 567,05 €");
        assert_eq!(plain(0), "0 €");
        assert_eq!(plain(-5_000), "-50 €");
    }

    #[test]
    fn every_golden_event_has_a_sentence() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let frame: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            if frame["frame"] == "event" {
                let event_type = frame["type"].as_str().unwrap();
                let event = Business::parse(event_type, &frame["data"]).expect(event_type);
                assert_eq!(event.event_type(), event_type);
                let sentence = event.sentence();
                assert!(sentence.contains("Mme Lefèvre"), "{sentence}");
                seen += 1;
            }
        }
        assert_eq!(seen, TYPES.len());
        assert_eq!(Business::parse("stock:low", &Value::Null), None);
    }
}

//! JSON Schemas of everything that crosses the wire, one file each.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value};

use crate::{ClientFrame, ServerFrame, events};

/// Every schema by its file name.
#[must_use]
pub fn files() -> Vec<(&'static str, String)> {
    vec![
        ("server-frame.json", pretty(&frame::<ServerFrame>("A frame that the gateway sends"))),
        ("client-frame.json", pretty(&frame::<ClientFrame>("A frame that a client sends"))),
        ("events.json", pretty(&catalog())),
    ]
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn frame<T: JsonSchema>(title: &str) -> Value {
    let mut schema = generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    schema.into()
}

/// An object with one member per event type, whose schema is that of the event's `data`.
fn catalog() -> Value {
    let mut generator = generator();
    let properties: Map<String, Value> =
        events::schemas(&mut generator).into_iter().map(|(name, schema)| (name.to_owned(), schema.into())).collect();
    let definitions = generator.take_definitions(true);
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "EventCatalog",
        "description": "The data of each event, by the event's type",
        "type": "object",
        "additionalProperties": false,
        "required": events::TYPES,
        "properties": properties,
        "$defs": definitions,
    })
    .into()
}

fn pretty(schema: &Value) -> String {
    format!("{schema:#}\n")
}

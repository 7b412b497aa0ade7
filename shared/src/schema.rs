//! JSON Schemas of everything that crosses the wire, one file each.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};

use crate::{ClientFrame, ServerFrame, events, http};

/// Every schema by its file name.
#[must_use]
pub fn files() -> Vec<(&'static str, String)> {
    vec![
        ("server-frame.json", pretty(&frame::<ServerFrame>("A frame that the gateway sends"))),
        ("client-frame.json", pretty(&frame::<ClientFrame>("A frame that a client sends"))),
        ("events.json", pretty(&catalog())),
        ("http.json", pretty(&bodies())),
    ]
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

/// One of several frames, each of which has a name to be referred to by: `#/$defs/Welcome`.
fn frame<T: JsonSchema>(title: &str) -> Value {
    let mut schema = generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    let mut schema = schema.to_value();
    let mut definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
    for variant in schema["oneOf"].as_array_mut().into_iter().flatten() {
        let name = capitalized(variant["properties"]["frame"]["const"].as_str().unwrap_or_default());
        let reference = json!({ "$ref": format!("#/$defs/{name}") });
        definitions.insert(name, std::mem::replace(variant, reference));
    }
    schema["$defs"] = definitions.into();
    schema
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
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

/// The bodies of the HTTP endpoints, and what stands in their queries.
fn bodies() -> Value {
    let mut generator = generator();
    http::schemas(&mut generator);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The bodies of the HTTP endpoints",
        "$defs": generator.take_definitions(true),
    })
}

fn pretty(schema: &Value) -> String {
    format!("{schema:#}\n")
}

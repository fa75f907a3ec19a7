//! All schemas of the document: what is read (parameters) and what is written (results, errors,
//! events), in one set of components.
//!
//! A type may be read more leniently than it is written: a filter is read with `null` members and
//! written without. Where the two differ, the read one is a component of its own, with [`READ`] behind
//! its name.

use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::tidy;

/// How the types of a method come to their schemas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Of the parameters.
    pub(crate) params: fn(&mut SchemaGenerator) -> Schema,
    /// Of the result.
    pub(crate) result: fn(&mut SchemaGenerator) -> Schema,
}

/// Collects schemas, then gives them all.
#[derive(Debug)]
pub(super) struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

/// The finished components.
#[derive(Debug)]
pub(super) struct Components {
    /// By name.
    pub(super) schemas: Map<String, Value>,
    /// Names that mean another component in what is read.
    renamed: Vec<String>,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let generator = |contract| {
            SchemaSettings::draft07()
                .with(|settings| {
                    settings.definitions_path = COMPONENTS.into();
                    settings.contract = contract;
                })
                .into_generator()
        };
        Self {
            read: generator(Contract::Deserialize),
            written: generator(Contract::Serialize),
        }
    }

    /// The schema of parameters; a component, or the schema itself.
    pub(super) fn read(&mut self, of: fn(&mut SchemaGenerator) -> Schema) -> Value {
        let mut schema = of(&mut self.read);
        apply(&mut self.read, &mut schema);
        let mut schema = schema.to_value();
        tidy::read(&mut schema);
        schema
    }

    /// The schema of a result.
    pub(super) fn written(&mut self, of: fn(&mut SchemaGenerator) -> Schema) -> Value {
        let mut schema = of(&mut self.written);
        apply(&mut self.written, &mut schema);
        let mut schema = schema.to_value();
        tidy::written(&mut schema);
        schema
    }

    /// The schema of a type that the daemon writes.
    pub(super) fn of<T: JsonSchema>(&mut self) -> Value {
        self.written(SchemaGenerator::subschema_for::<T>)
    }

    /// All that the schemas given out refer to.
    pub(super) fn finish(mut self) -> Components {
        let mut read = self.read.take_definitions(true);
        let mut schemas = self.written.take_definitions(true);
        read.values_mut().for_each(tidy::read);
        schemas.values_mut().for_each(tidy::written);
        let mut components = Components {
            renamed: differing(&read, &schemas),
            schemas: Map::new(),
        };
        for (name, mut schema) in read {
            components.point(&mut schema);
            let name = components.name(name);
            schemas.insert(name, schema);
        }
        components.schemas = schemas;
        components
    }
}

impl Components {
    /// Sets the references of a schema that is read to the components that are meant.
    pub(super) fn point(&self, schema: &mut Value) {
        tidy::each(schema, &mut |object| {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && self.renamed.iter().any(|name| target(reference) == name)
            {
                reference.push_str(READ);
            }
        });
    }

    /// The schema that a reference means, or the schema itself.
    pub(super) fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            match self.schemas.get(target(reference)) {
                Some(found) => schema = found,
                None => break,
            }
        }
        schema
    }

    fn name(&self, mut name: String) -> String {
        if self.renamed.contains(&name) {
            name.push_str(READ);
        }
        name
    }
}

/// A reference to a component.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#{COMPONENTS}/{name}") })
}

fn target(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}

/// The names under which both have a schema, but not the same one. A schema differs too where it
/// refers to one that does.
fn differing(read: &Map<String, Value>, written: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<String> = read
        .iter()
        .filter(|(name, schema)| written.get(*name).is_some_and(|other| other != *schema))
        .map(|(name, _)| name.clone())
        .collect();
    loop {
        let more = read.iter().find(|(name, schema)| {
            !names.contains(name) && written.contains_key(*name) && refers_to(schema, &names)
        });
        match more {
            Some((name, _)) => names.push(name.clone()),
            None => return names,
        }
    }
}

fn refers_to(schema: &Value, names: &[String]) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(key, value)| match value {
            Value::String(text) if key == "$ref" => names.iter().any(|name| target(text) == name),
            other => refers_to(other, names),
        }),
        Value::Array(items) => items.iter().any(|item| refers_to(item, names)),
        _ => false,
    }
}

fn apply(generator: &mut SchemaGenerator, schema: &mut Schema) {
    for transform in generator.transforms_mut() {
        transform.transform(schema);
    }
}

const COMPONENTS: &str = "/components/schemas";

/// Behind the name of a component that is read in another form than it is written.
const READ: &str = "Param";

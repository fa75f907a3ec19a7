//! Rules that hold for all schemas at once, and the form in which a reader of the document likes them.

use serde_json::{Map, Value, json};

/// For what the daemon reads: an optional member may be `null`, a whole number has the bounds of its
/// Rust type, a list that stands for a set may say a thing twice.
pub(super) fn read(schema: &mut Value) {
    each(schema, &mut |object| {
        optional_may_be_null(object);
        numbers(object, true);
        object.remove("uniqueItems");
        both(object);
    });
}

/// For what the daemon writes.
pub(super) fn written(schema: &mut Value) {
    each(schema, &mut |object| {
        numbers(object, false);
        both(object);
    });
}

fn both(object: &mut Map<String, Value>) {
    words(object);
    describe(object);
}

/// Visits each schema object in a schema, the inner ones first.
pub(super) fn each(schema: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(object) = schema else {
        return;
    };
    for (key, value) in &mut *object {
        match key.as_str() {
            // Of a tuple, a schema for each of its items.
            "items" if value.is_array() => {
                let items = value.as_array_mut().into_iter().flatten();
                items.for_each(|item| each(item, visit));
            }
            "not" | "items" | "additionalProperties" | "propertyNames" | "contains" => {
                each(value, visit);
            }
            "allOf" | "anyOf" | "oneOf" => {
                let choices = value.as_array_mut().into_iter().flatten();
                choices.for_each(|choice| each(choice, visit));
            }
            "properties" | "patternProperties" | "definitions" => {
                let members = value.as_object_mut().into_iter().flatten();
                members.for_each(|(_, member)| each(member, visit));
            }
            _ => {}
        }
    }
    visit(object);
}

fn optional_may_be_null(object: &mut Map<String, Value>) {
    // Rules over several members name some of them and close nothing; the shape itself is closed.
    if object.get("type") != Some(&json!("object")) {
        return;
    }
    let required = object.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        let mut names = required.as_array().into_iter().flatten();
        names.any(|required| required == name)
    };
    let members = object.get_mut("properties").and_then(Value::as_object_mut);
    for (name, schema) in members.into_iter().flatten() {
        if !is_required(name) {
            allow_null(schema);
        }
    }
}

fn allow_null(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    let null_type = json!({ "type": "null" });
    let choices = object.get("anyOf").and_then(Value::as_array);
    if choices.is_some_and(|choices| choices.contains(&null_type)) {
        return;
    }
    let plain = !object.contains_key("enum") && !object.contains_key("allOf");
    match object.get_mut("type") {
        Some(Value::Array(types)) if types.contains(&json!("null")) => {}
        Some(Value::Array(types)) if plain => types.push(json!("null")),
        Some(Value::String(kind)) if plain => {
            let kind = std::mem::take(kind);
            object.insert("type".into(), json!([kind, "null"]));
        }
        _ => {
            let mut inner = std::mem::take(object);
            for kept in ["description", "default"] {
                if let Some(value) = inner.remove(kept) {
                    object.insert(kept.into(), value);
                }
            }
            // A lone reference needs no cover once what stood beside it is outside.
            let inner = match inner.get("allOf").and_then(Value::as_array) {
                Some(all) if inner.len() == 1 && all.len() == 1 => all[0].clone(),
                _ => Value::Object(inner),
            };
            object.insert("anyOf".into(), json!([inner, null_type]));
        }
    }
}

/// Takes the names of Rust's number types out, which JSON Schema does not know, and tells their bounds
/// instead where they matter.
fn numbers(object: &mut Map<String, Value>, bounded: bool) {
    if matches!(object.get("format"), Some(Value::String(name)) if name == "float" || name == "double")
    {
        object.remove("format");
    }
    let bounds: Option<(i64, u64)> = match object.get("format").and_then(Value::as_str) {
        Some("uint8") => Some((0, u8::MAX.into())),
        Some("uint16") => Some((0, u16::MAX.into())),
        Some("uint32") => Some((0, u32::MAX.into())),
        Some("uint64" | "uint") => Some((0, u64::MAX)),
        Some("int32") => Some((i32::MIN.into(), i32::MAX as u64)),
        Some("int64" | "int") => Some((i64::MIN, i64::MAX as u64)),
        _ => None,
    };
    let Some((min, max)) = bounds else {
        return;
    };
    object.remove("format");
    if bounded {
        object.entry("minimum").or_insert_with(|| min.into());
        object.entry("maximum").or_insert_with(|| max.into());
    }
}

/// A choice of words as one `enum`, which generators of code read best; what each word means goes
/// into the description.
fn words(object: &mut Map<String, Value>) {
    let choices = object.get("oneOf").and_then(Value::as_array);
    let Some(choices) = choices.filter(|choices| !choices.is_empty()) else {
        return;
    };
    let word = |choice: &Value| -> Option<Vec<Value>> {
        if choice.get("type") != Some(&json!("string")) {
            return None;
        }
        match (choice.get("const"), choice.get("enum")) {
            (Some(word), _) => Some(vec![word.clone()]),
            (None, Some(Value::Array(words))) => Some(words.clone()),
            _ => None,
        }
    };
    let Some(words) = choices.iter().map(word).collect::<Option<Vec<_>>>() else {
        return;
    };
    let mut description = object
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    for choice in choices {
        if let (Some(Value::String(word)), Some(Value::String(meaning))) =
            (choice.get("const"), choice.get("description"))
        {
            description.push_str(&format!("\n- `{word}`: {}", prose(meaning)));
        }
    }
    object.remove("oneOf");
    object.insert("type".into(), json!("string"));
    object.insert("enum".into(), words.concat().into());
    object.insert("description".into(), description.trim().into());
}

fn describe(object: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = prose(text);
    }
}

/// A doc comment as plain Markdown: no line ends inside of a paragraph, no links into the crate.
fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let lines = paragraph.lines().map(str::trim);
        lines.fold(String::new(), |text, line| match text.as_str() {
            "" => line.to_owned(),
            _ if line.starts_with("- ") => format!("{text}\n{line}"),
            _ => format!("{text} {line}"),
        })
    });
    let text = paragraphs.collect::<Vec<_>>().join("\n\n");
    text.replace("[`", "`").replace("`]", "`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_form(mut schema: Value) -> Value {
        read(&mut schema);
        schema
    }

    #[test]
    fn an_optional_member_may_be_null_and_a_required_one_may_not() {
        let schema = json!({
            "type": "object",
            "required": ["a"],
            "properties": {
                "a": { "type": "string" },
                "b": { "type": "string" },
                "c": { "description": "C.", "allOf": [{ "$ref": "#/x/C" }] },
            },
        });
        let members = &read_form(schema)["properties"];
        assert_eq!(members["a"], json!({ "type": "string" }));
        assert_eq!(members["b"], json!({ "type": ["string", "null"] }));
        assert_eq!(
            members["c"],
            json!({ "description": "C.", "anyOf": [{ "$ref": "#/x/C" }, { "type": "null" }] })
        );
    }

    #[test]
    fn a_whole_number_keeps_its_own_bounds_and_gets_those_of_its_type() {
        let schema = json!({ "type": "integer", "format": "uint32", "minimum": 1 });
        assert_eq!(
            read_form(schema),
            json!({ "type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32 })
        );
    }

    #[test]
    fn a_choice_of_words_becomes_an_enum_that_says_what_they_mean() {
        let schema = json!({
            "description": "When.",
            "oneOf": [
                { "type": "string", "const": "now", "description": "At\nonce, see [`X`]." },
                { "type": "string", "enum": ["later"] },
            ],
        });
        assert_eq!(
            read_form(schema),
            json!({
                "type": "string",
                "enum": ["now", "later"],
                "description": "When.\n- `now`: At once, see `X`.",
            })
        );
    }
}

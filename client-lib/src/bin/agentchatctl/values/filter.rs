//! Which events: `--filter types=message.new --filter senders=@bob,@ann`.

use std::collections::BTreeSet;
use std::str::FromStr;

use agentchatd_client::types::{Filter, Handle};
use clap::Args;

use crate::failure::Failure;

/// Flags of the commands that read events.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FilterArgs {
    /// Which events: types=A,B senders=@X conversations=ID mentions_me=true include_own=false. May be
    /// given several times; all must hold.
    #[arg(long, value_name = "KEY=VALUES")]
    filter: Vec<Rule>,
}

/// One `KEY=VALUES`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Types(Vec<String>),
    Senders(Vec<Handle>),
    Conversations(Vec<String>),
    MentionsMe(bool),
    IncludeOwn(bool),
}

impl FilterArgs {
    /// The filter, if there is one.
    pub(crate) fn filter(&self) -> Result<Option<Filter>, Failure> {
        if self.filter.is_empty() {
            return Ok(None);
        }
        let mut filter = Filter::default();
        for rule in &self.filter {
            match rule {
                Rule::Types(types) => add(&mut filter.types, types),
                Rule::Senders(senders) => add(&mut filter.senders, senders),
                Rule::Conversations(ids) => add(&mut filter.conversations, ids),
                Rule::MentionsMe(on) => filter.mentions_me = *on,
                Rule::IncludeOwn(on) => filter.include_own = *on,
            }
        }
        if filter.passes_all() {
            return Err(Failure::usage(
                "this filter lets everything pass; leave --filter out",
            ));
        }
        Ok(Some(filter))
    }
}

fn add<T: Ord + Clone>(list: &mut Option<BTreeSet<T>>, values: &[T]) {
    list.get_or_insert_default().extend(values.iter().cloned());
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, values) = text.split_once('=').ok_or_else(|| wrong(text))?;
        let list = || -> Vec<String> {
            let parts = values.split(',').map(str::trim);
            parts
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let flag = || match values {
            "true" | "yes" => Ok(true),
            "false" | "no" => Ok(false),
            other => Err(format!("{other:?} is neither true nor false")),
        };
        if values.is_empty() {
            return Err(format!("{key} has no value"));
        }
        match key {
            "types" | "type" => Ok(Self::Types(list())),
            "conversations" | "conversation" => Ok(Self::Conversations(list())),
            "senders" | "sender" => {
                let handles = list().into_iter().map(Handle::new);
                handles
                    .collect::<Result<_, _>>()
                    .map(Self::Senders)
                    .map_err(|error| error.to_string())
            }
            "mentions_me" => flag().map(Self::MentionsMe),
            "include_own" => flag().map(Self::IncludeOwn),
            _ => Err(wrong(text)),
        }
    }
}

fn wrong(text: &str) -> String {
    format!(
        "{text:?} is no rule such as types=message.new,message.sent, senders=@bob, \
         conversations=conv_…, mentions_me=true or include_own=false"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(rules: &[&str]) -> Result<Option<Filter>, Failure> {
        let rules = rules.iter().map(|rule| rule.parse().unwrap());
        FilterArgs {
            filter: rules.collect(),
        }
        .filter()
    }

    #[test]
    fn rules_add_up() {
        let filter = filter(&["types=message.new", "types=message.sent", "sender=@Bob,ann"]);
        assert_eq!(
            serde_json::to_string(&filter.unwrap()).unwrap(),
            r#"{"types":["message.new","message.sent"],"senders":["ann","bob"]}"#
        );
    }

    #[test]
    fn no_rule_is_no_filter_and_an_idle_one_is_refused() {
        assert!(filter(&[]).unwrap().is_none());
        assert!(filter(&["include_own=true"]).is_err());
        for text in ["types", "colour=red", "mentions_me=1", "types="] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }
}

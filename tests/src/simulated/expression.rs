//! The expressions of `DynamoDB` that the core sends: conditions, updates and
//! conditions on keys. Any other is refused as not simulated.

use std::cmp::Ordering;

use serde_json::Value;

use super::items::{Item, compare};
use super::parameters::Refused;

/// An expression with the names and values that it stands for.
pub(super) struct Expression<'a> {
    asked: &'a Value,
}

/// What a query asks of a partition.
pub(super) struct KeyRange {
    pub(super) scope: String,
    /// The first sort key...
    pub(super) from: String,
    /// ...and the last one; none where only `prefix` ends it.
    pub(super) to: Option<String>,
    pub(super) prefix: String,
}

impl<'a> Expression<'a> {
    /// Of a request, or of one part of a transaction.
    pub(super) fn of(asked: &'a Value) -> Self {
        Self { asked }
    }

    fn name(&self, placeholder: &str) -> Result<&'a str, Refused> {
        let names = &self.asked["ExpressionAttributeNames"];
        names[placeholder]
            .as_str()
            .ok_or_else(|| undefined(placeholder))
    }

    fn value(&self, placeholder: &str) -> Result<&'a Value, Refused> {
        let values = &self.asked["ExpressionAttributeValues"];
        values
            .get(placeholder)
            .ok_or_else(|| undefined(placeholder))
    }

    fn text(&self, placeholder: &str) -> Result<String, Refused> {
        let text = self.value(placeholder)?["S"].as_str();
        text.map(str::to_owned)
            .ok_or_else(|| undefined(placeholder))
    }

    /// Whether the row, if there is one, fulfils the condition; true without one.
    pub(super) fn holds(&self, item: Option<&Item>) -> Result<bool, Refused> {
        let Some(condition) = self.asked["ConditionExpression"].as_str() else {
            return Ok(true);
        };
        for term in condition.split(" OR ") {
            if self.term_holds(term, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn term_holds(&self, term: &str, item: Option<&Item>) -> Result<bool, Refused> {
        let attribute = |placeholder: &str| -> Result<Option<&Value>, Refused> {
            Ok(item.and_then(|item| Some(self.name(placeholder).ok()).and_then(|n| item.get(n?))))
        };
        if let Some(name) = call(term, "attribute_not_exists") {
            self.name(name)?;
            return Ok(attribute(name)?.is_none());
        }
        if let Some(name) = call(term, "attribute_exists") {
            self.name(name)?;
            return Ok(attribute(name)?.is_some());
        }
        let parts: Vec<&str> = term.split(' ').collect();
        let [left, sign, right] = parts[..] else {
            return Err(Refused::not_simulated(term));
        };
        self.name(left)?;
        let (left, right) = (attribute(left)?, self.value(right)?);
        let Some(left) = left else { return Ok(false) };
        let order = compare(left, right);
        match sign {
            "=" => Ok(left == right),
            "<" => Ok(order == Some(Ordering::Less)),
            "<=" => Ok(matches!(order, Some(Ordering::Less | Ordering::Equal))),
            _ => Err(Refused::not_simulated(term)),
        }
    }

    /// Changes a row as the update says.
    pub(super) fn update(&self, item: &mut Item) -> Result<(), Refused> {
        let text = self.asked["UpdateExpression"].as_str().unwrap_or_default();
        if let Some(names) = text.strip_prefix("REMOVE ") {
            for name in names.split(", ") {
                item.remove(self.name(name)?);
            }
            return Ok(());
        }
        let sets = text.strip_prefix("SET ");
        let sets = sets.ok_or_else(|| Refused::not_simulated(text))?;
        // A comma inside a call has no name after it.
        for set in sets.split(", #") {
            let (name, value) = set
                .trim_start_matches('#')
                .split_once(" = ")
                .ok_or_else(|| Refused::not_simulated(text))?;
            let name = self.name(&format!("#{name}"))?;
            let value = match call(value, "if_not_exists") {
                None => self.value(value)?.clone(),
                Some(arguments) => {
                    let arguments = arguments.split_once(", ");
                    let (other, value) = arguments.ok_or_else(|| Refused::not_simulated(text))?;
                    let there = item.get(self.name(other)?).cloned();
                    there.map_or_else(|| self.value(value).cloned(), Ok)?
                }
            };
            item.insert(name.to_owned(), value);
        }
        Ok(())
    }

    /// The rows that a query is about.
    pub(super) fn key_range(&self) -> Result<KeyRange, Refused> {
        let text = self.asked["KeyConditionExpression"]
            .as_str()
            .unwrap_or_default();
        if self.name("#s")? != "scope" {
            return Err(Refused::not_simulated(text));
        }
        let scope = self.text(":s")?;
        let (from, to, prefix) = match text {
            "#s = :s" => (String::new(), None, String::new()),
            "#s = :s AND begins_with(#e, :p)" => (self.text(":p")?, None, self.text(":p")?),
            "#s = :s AND #e BETWEEN :a AND :z" => {
                (self.text(":a")?, Some(self.text(":z")?), String::new())
            }
            other => return Err(Refused::not_simulated(other)),
        };
        if text.contains("#e") && self.name("#e")? != "entry" {
            return Err(Refused::not_simulated(text));
        }
        if to.as_ref().is_some_and(|to| *to < from) {
            let told = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound";
            return Err(Refused::bad("ValidationException", told));
        }
        Ok(KeyRange {
            scope,
            from,
            to,
            prefix,
        })
    }

    /// What of a row is told: all of it where nothing is said.
    pub(super) fn project(&self, item: &Item) -> Result<Item, Refused> {
        let Some(wanted) = self.asked["ProjectionExpression"].as_str() else {
            return Ok(item.clone());
        };
        let mut told = Item::new();
        for placeholder in wanted.split(',') {
            let name = self.name(placeholder.trim())?;
            if let Some(value) = item.get(name) {
                told.insert(name.to_owned(), value.clone());
            }
        }
        Ok(told)
    }

    /// Every name and value that is given must be used: the service refuses others.
    pub(super) fn check_all_used(&self) -> Result<(), Refused> {
        let expressions = [
            "KeyConditionExpression",
            "ConditionExpression",
            "UpdateExpression",
            "ProjectionExpression",
            "FilterExpression",
        ];
        let used: String = expressions
            .iter()
            .filter_map(|field| self.asked[*field].as_str())
            .collect::<Vec<_>>()
            .join(" ");
        let words: Vec<&str> = used.split(|c: char| " ,()".contains(c)).collect();
        for given in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
            let given = self.asked[given].as_object().into_iter().flatten();
            for (placeholder, _) in given {
                if !words.contains(&placeholder.as_str()) {
                    let told = format!("{placeholder} is given and not used");
                    return Err(Refused::bad("ValidationException", told));
                }
            }
        }
        Ok(())
    }
}

/// The argument of a call of this function.
fn call<'t>(text: &'t str, function: &str) -> Option<&'t str> {
    let arguments = text.strip_prefix(function)?.strip_prefix('(')?;
    arguments.strip_suffix(')')
}

fn undefined(placeholder: &str) -> Refused {
    let told = format!("{placeholder} is used and not given");
    Refused::bad("ValidationException", told)
}

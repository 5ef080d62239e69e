//! Parameter Store, as AWS documents it and as recorded traffic shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use ssmbak_core::domain::{Instant, Name};

/// Versions that are retained.
const RETAINED: usize = 100;
/// Most of a page of history, and of descriptions.
const PAGE: usize = 50;
/// No read is staler than this.
const STALE_MS: i64 = 5 * 60 * 1_000;
/// Most names of one call.
const NAMES: usize = 10;
/// Most labels of a version.
const LABELS: usize = 10;
const STANDARD_BYTES: usize = 4_096;
const ADVANCED_BYTES: usize = 8_192;
/// Everybody who writes is this one.
const USER: &str = "arn:aws:iam::123456789012:user/somebody";

/// What a service refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub(super) status: u16,
    /// The service's code.
    pub code: String,
    pub(super) message: String,
    pub(super) reasons: Option<Value>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            reasons: None,
        }
    }

    pub(super) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// A test asked for what is not simulated: no retry may hide it.
    pub(super) fn not_simulated(what: &str) -> Self {
        Self::bad("NotSimulated", format!("not simulated: {what}"))
    }
}

#[derive(Debug, Clone)]
struct Version {
    number: u64,
    at: Instant,
    value: String,
    kind: String,
    description: Option<String>,
    pattern: Option<String>,
    policies: Vec<String>,
    tier: String,
    key: Option<String>,
    data_type: String,
    labels: BTreeSet<String>,
}

#[derive(Debug, Clone, Default)]
struct Life {
    /// Oldest first, never empty.
    versions: Vec<Version>,
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct Parameter {
    now: Option<Life>,
    /// As it was before its newest change: what a stale read shows.
    before: Option<Life>,
    /// When that change was made.
    changed: Option<Instant>,
    stale: bool,
}

/// All parameters of an account, by name with a slash.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    all: BTreeMap<String, Parameter>,
    now: Option<Instant>,
}

type Answer = Result<Value, Refused>;

impl Parameters {
    pub(super) fn answer(&mut self, operation: &str, asked: &Value, now: Instant) -> Answer {
        self.now = Some(now);
        match operation {
            "PutParameter" => self.put(asked, now),
            "GetParameter" => self.get(text(asked, "Name")?),
            "GetParameters" => self.get_some(asked),
            "GetParameterHistory" => self.history(asked),
            "DescribeParameters" => self.describe(asked),
            "DeleteParameter" => self.delete(text(asked, "Name")?),
            "DeleteParameters" => self.delete_some(asked),
            "LabelParameterVersion" => self.label(asked),
            "ListTagsForResource" => self.tags(asked),
            "AddTagsToResource" => self.add_tags(asked),
            "RemoveTagsFromResource" => self.remove_tags(asked),
            other => Err(Refused::not_simulated(other)),
        }
    }

    pub(super) fn make_stale(&mut self, name: &str) {
        if let Some(parameter) = self.all.get_mut(name) {
            parameter.stale = true;
        }
    }

    pub(super) fn forget_stale(&mut self) {
        for parameter in self.all.values_mut() {
            parameter.stale = false;
        }
    }

    fn living(&self, name: &str) -> Option<&Life> {
        self.all.get(&canonical(name).ok()?)?.now.as_ref()
    }

    /// What lives, about to be changed.
    fn changing(&mut self, name: &str) -> Option<&mut Life> {
        let parameter = self.all.get_mut(&canonical(name).ok()?)?;
        parameter.before.clone_from(&parameter.now);
        parameter.changed = self.now;
        parameter.now.as_mut()
    }

    fn put(&mut self, asked: &Value, now: Instant) -> Answer {
        let name = canonical(text(asked, "Name")?)?;
        let overwrite = asked["Overwrite"] == true;
        let before = self.living(&name);
        if before.is_some() && !overwrite {
            let told = "The parameter already exists.";
            return Err(Refused::bad("ParameterAlreadyExists", told));
        }
        let tags = tags_of(asked);
        if overwrite && !tags.is_empty() {
            return Err(invalid("tags and overwrite can't be used together"));
        }
        let newest = before.and_then(|life| life.versions.last());
        let version = written(asked, newest, now)?;
        let full = before.is_some_and(|life| life.versions.len() == RETAINED);
        let oldest = before.and_then(|life| life.versions.first());
        if full && oldest.is_some_and(|oldest| !oldest.labels.is_empty()) {
            let told = "the oldest version has a label";
            return Err(Refused::bad("ParameterMaxVersionLimitExceeded", told));
        }
        let parameter = self.all.entry(name).or_default();
        parameter.before.clone_from(&parameter.now);
        parameter.changed = Some(now);
        let life = parameter.now.get_or_insert_default();
        life.tags.extend(tags);
        if full {
            life.versions.remove(0);
        }
        let answer = json!({"Version": version.number, "Tier": version.tier});
        life.versions.push(version);
        Ok(answer)
    }

    fn get(&self, selector: &str) -> Answer {
        let (name, wanted) = selector.split_once(':').unwrap_or((selector, ""));
        let life = self.living(name).ok_or_else(not_found)?;
        let is_it = |v: &&Version| {
            wanted.is_empty() || v.number.to_string() == wanted || v.labels.contains(wanted)
        };
        let version = life.versions.iter().rev().find(is_it);
        let told = "that version is not there";
        let version = version.ok_or_else(|| Refused::bad("ParameterVersionNotFound", told))?;
        Ok(json!({"Parameter": brief(name, version)}))
    }

    fn get_some(&self, asked: &Value) -> Answer {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for name in names(asked)? {
            match self.living(name).and_then(|life| life.versions.last()) {
                Some(version) => found.push(brief(name, version)),
                None => missing.push(name),
            }
        }
        Ok(json!({"Parameters": found, "InvalidParameters": missing}))
    }

    fn history(&mut self, asked: &Value) -> Answer {
        let name = canonical(text(asked, "Name")?)?;
        let token = asked["NextToken"].as_str();
        let parameter = self.all.get_mut(&name).ok_or_else(not_found)?;
        let is_young = |changed: Instant, now: Instant| now < changed.plus_millis(STALE_MS);
        let young = parameter.changed.zip(self.now);
        let young = young.is_some_and(|(changed, now)| is_young(changed, now));
        let stale = match token {
            None => std::mem::take(&mut parameter.stale) && young,
            Some(token) => token.starts_with("stale"),
        };
        let life = if stale {
            parameter.before.as_ref()
        } else {
            parameter.now.as_ref()
        };
        let life = life.ok_or_else(not_found)?;
        let first = token
            .and_then(|t| t.rsplit('-').next()?.parse().ok())
            .unwrap_or(0);
        let end = (first + page(asked)).min(life.versions.len());
        let decrypted = asked["WithDecryption"] == true;
        let versions = life.versions.get(first..end).unwrap_or_default().iter();
        let rows: Vec<Value> = versions.map(|v| full(&name, v, decrypted)).collect();
        let kind = if stale { "stale" } else { "true" };
        let next = (end < life.versions.len()).then(|| format!("{kind}-{end}"));
        Ok(paged("Parameters", rows, next))
    }

    fn describe(&self, asked: &Value) -> Answer {
        let filters = asked["ParameterFilters"].as_array();
        let mut found = Vec::new();
        for (name, parameter) in &self.all {
            let Some(version) = parameter.now.as_ref().and_then(|l| l.versions.last()) else {
                continue;
            };
            let mut fits = true;
            for filter in filters.into_iter().flatten() {
                fits &= passes(filter, name)?;
            }
            if fits {
                found.push(metadata(name, version));
            }
        }
        let token = asked["NextToken"].as_str().and_then(|t| t.parse().ok());
        let first: usize = token.unwrap_or(0);
        let end = (first + page(asked)).min(found.len());
        let next = (end < found.len()).then(|| end.to_string());
        let rows = found.get(first..end).unwrap_or_default().to_vec();
        Ok(paged("Parameters", rows, next))
    }

    fn delete(&mut self, name: &str) -> Answer {
        if self.changing(name).is_none() {
            return Err(not_found());
        }
        if let Some(parameter) = self.all.get_mut(&canonical(name)?) {
            parameter.now = None;
        }
        Ok(json!({}))
    }

    fn delete_some(&mut self, asked: &Value) -> Answer {
        let (mut deleted, mut missing) = (Vec::new(), Vec::new());
        for name in names(asked)? {
            match self.delete(name) {
                Ok(_) => deleted.push(name),
                Err(_) => missing.push(name),
            }
        }
        Ok(json!({"DeletedParameters": deleted, "InvalidParameters": missing}))
    }

    fn label(&mut self, asked: &Value) -> Answer {
        let name = text(asked, "Name")?;
        let newest = self
            .living(name)
            .ok_or_else(not_found)?
            .versions
            .last()
            .map_or(0, |v| v.number);
        let wanted = asked["ParameterVersion"].as_u64().unwrap_or(newest);
        let labels = texts(&asked["Labels"]);
        let (good, bad): (Vec<&str>, Vec<&str>) = labels.into_iter().partition(|l| is_label(l));
        let life = self.changing(name).ok_or_else(not_found)?;
        let Some(at) = life.versions.iter().position(|v| v.number == wanted) else {
            let told = "that version is not there";
            return Err(Refused::bad("ParameterVersionNotFound", told));
        };
        let mut after = life.versions[at].labels.clone();
        after.extend(good.iter().map(|l| (*l).to_owned()));
        if after.len() > LABELS {
            let told = "a version has ten labels at most";
            return Err(Refused::bad("ParameterVersionLabelLimitExceeded", told));
        }
        for version in &mut life.versions {
            version.labels.retain(|l| !good.contains(&l.as_str()));
        }
        life.versions[at].labels = after;
        Ok(json!({"InvalidLabels": bad, "ParameterVersion": wanted}))
    }

    fn tags(&self, asked: &Value) -> Answer {
        let life = self.living(text(asked, "ResourceId")?);
        let life = life.ok_or_else(no_resource)?;
        let tags = life.tags.iter();
        let tags: Vec<Value> = tags.map(|(k, v)| json!({"Key": k, "Value": v})).collect();
        Ok(json!({"TagList": tags}))
    }

    fn add_tags(&mut self, asked: &Value) -> Answer {
        let life = self.changing(text(asked, "ResourceId")?);
        life.ok_or_else(no_resource)?.tags.extend(tags_of(asked));
        Ok(json!({}))
    }

    fn remove_tags(&mut self, asked: &Value) -> Answer {
        let life = self.changing(text(asked, "ResourceId")?);
        let gone = texts(&asked["TagKeys"]);
        let tags = &mut life.ok_or_else(no_resource)?.tags;
        tags.retain(|key, _| !gone.contains(&key.as_str()));
        Ok(json!({}))
    }
}

/// The version that a put writes over `before`; what it leaves out is kept.
fn written(asked: &Value, before: Option<&Version>, now: Instant) -> Result<Version, Refused> {
    let given = |field: &str| asked[field].as_str().map(str::to_owned);
    let kept = |field: &str, before: Option<String>| match given(field) {
        Some(text) => Some(text).filter(|text| !text.is_empty()),
        None => before,
    };
    let value = text(asked, "Value")?.to_owned();
    let kind = given("Type").or_else(|| before.map(|v| v.kind.clone()));
    let kind = kind.ok_or_else(|| invalid("a parameter type is required"))?;
    let secret = kind == "SecureString";
    if given("KeyId").is_some() && !secret {
        return Err(invalid("KeyId is for SecureString only"));
    }
    let had = before.map_or("Standard", |v| v.tier.as_str());
    let tier = given("Tier").unwrap_or_else(|| had.to_owned());
    if had == "Advanced" && tier == "Standard" {
        return Err(invalid(
            "an advanced parameter cannot become a standard one",
        ));
    }
    let most = if tier == "Standard" {
        STANDARD_BYTES
    } else {
        ADVANCED_BYTES
    };
    if value.is_empty() || value.len() > most {
        return Err(invalid("the value is empty or too long"));
    }
    let policies = match given("Policies") {
        Some(text) => policies(&text)?,
        None => before.map(|v| v.policies.clone()).unwrap_or_default(),
    };
    if !policies.is_empty() && tier == "Standard" {
        return Err(invalid("a standard parameter has no policies"));
    }
    Ok(Version {
        number: before.map_or(1, |v| v.number + 1),
        at: now,
        value,
        kind,
        description: kept("Description", before.and_then(|v| v.description.clone())),
        pattern: kept("AllowedPattern", before.and_then(|v| v.pattern.clone())),
        policies,
        tier,
        key: secret.then(|| given("KeyId").unwrap_or_else(|| "alias/aws/ssm".to_owned())),
        data_type: given("DataType")
            .or_else(|| before.map(|v| v.data_type.clone()))
            .unwrap_or_else(|| "text".to_owned()),
        labels: BTreeSet::new(),
    })
}

fn policies(text: &str) -> Result<Vec<String>, Refused> {
    let list: Vec<Value> =
        serde_json::from_str(text).map_err(|_| invalid("policies are a JSON list"))?;
    let told = list.into_iter().filter(|p| *p != json!({}));
    Ok(told.map(|p| p.to_string()).collect())
}

fn brief(asked: &str, version: &Version) -> Value {
    json!({
        "Name": asked,
        "Type": version.kind,
        "Value": version.value,
        "Version": version.number,
        "LastModifiedDate": seconds(version.at),
        "DataType": version.data_type,
    })
}

/// As a listing tells it: a name at the root without its slash.
fn metadata(name: &str, version: &Version) -> Value {
    let bare = name.trim_start_matches('/');
    let spelled = if bare.contains('/') { name } else { bare };
    let mut row = json!({
        "Name": spelled,
        "Type": version.kind,
        "Version": version.number,
        "LastModifiedDate": seconds(version.at),
        "LastModifiedUser": USER,
        "Tier": version.tier,
        "DataType": version.data_type,
    });
    let optional = [
        ("Description", &version.description),
        ("AllowedPattern", &version.pattern),
        ("KeyId", &version.key),
    ];
    for (field, text) in optional {
        if let Some(text) = text {
            row[field] = text.as_str().into();
        }
    }
    let policies = version.policies.iter();
    let policies = policies.map(|p| json!({"PolicyText": p, "PolicyStatus": "Pending"}));
    row["Policies"] = policies.collect();
    row
}

fn full(name: &str, version: &Version, decrypted: bool) -> Value {
    let mut row = metadata(name, version);
    let readable = decrypted || version.kind != "SecureString";
    row["Value"] = if readable {
        version.value.as_str().into()
    } else {
        "ciphertext".into()
    };
    row["Labels"] = version.labels.iter().map(String::as_str).collect();
    row
}

fn passes(filter: &Value, name: &str) -> Result<bool, Refused> {
    let values = texts(&filter["Values"]);
    let option = filter["Option"].as_str().unwrap_or("Equals");
    match (filter["Key"].as_str(), option) {
        (Some("Name"), "Equals") => {
            let bare = name.trim_start_matches('/');
            Ok(values.contains(&name) || (!bare.contains('/') && values.contains(&bare)))
        }
        (Some("Path"), "Recursive" | "OneLevel") => Ok(values.iter().any(|path| {
            let below = name.strip_prefix(path).and_then(|n| n.strip_prefix('/'));
            below.is_some_and(|below| option == "Recursive" || !below.contains('/'))
        })),
        _ => Err(Refused::not_simulated(&filter.to_string())),
    }
}

fn paged(field: &str, rows: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = Map::new();
    answer.insert(field.to_owned(), rows.into());
    if let Some(next) = next {
        answer.insert("NextToken".to_owned(), next.into());
    }
    answer.into()
}

fn page(asked: &Value) -> usize {
    let asked = asked["MaxResults"].as_u64();
    asked
        .and_then(|n| usize::try_from(n).ok())
        .map_or(10, |n| n.clamp(1, PAGE))
}

/// `foo` and `/foo` are one.
fn canonical(name: &str) -> Result<String, Refused> {
    let name = Name::parse(name).map_err(|_| invalid("that is no name of a parameter"))?;
    Ok(name.to_string())
}

fn is_label(label: &str) -> bool {
    let first = label.chars().next();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let lower = label.to_ascii_lowercase();
    first.is_some_and(|c| !c.is_ascii_digit())
        && label.len() <= 100
        && label.chars().all(plain)
        && !lower.starts_with("aws")
        && !lower.starts_with("ssm")
}

fn text<'a>(asked: &'a Value, field: &str) -> Result<&'a str, Refused> {
    let text = asked[field].as_str();
    text.ok_or_else(|| invalid(&format!("{field} is missing")))
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

fn names(asked: &Value) -> Result<Vec<&str>, Refused> {
    let names = texts(&asked["Names"]);
    if names.is_empty() || names.len() > NAMES {
        return Err(invalid("one to ten names"));
    }
    Ok(names)
}

fn tags_of(asked: &Value) -> BTreeMap<String, String> {
    let tags = asked["Tags"].as_array().into_iter().flatten();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    tags.map(|t| (text(&t["Key"]), text(&t["Value"]))).collect()
}

/// As the JSON services write instants: seconds with a fraction.
#[allow(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 have far fewer digits than a double holds"
)]
fn seconds(at: Instant) -> f64 {
    at.millis() as f64 / 1_000.0
}

fn not_found() -> Refused {
    Refused::bad("ParameterNotFound", "")
}

fn no_resource() -> Refused {
    let told = "The resource ID is not valid.";
    Refused::bad("InvalidResourceId", told)
}

fn invalid(told: &str) -> Refused {
    Refused::bad("ValidationException", told)
}

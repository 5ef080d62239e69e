//! The stored shape of an export, apart from the types of the domain: field
//! names are those of `preview --output json`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use ssmbak_core::domain::{Attributes, Instant, Name, NameError, Path, Target, Value};

use super::{Exported, ExportedParameter, FORMAT};

/// What is read first: whether the rest can be understood at all.
#[derive(Deserialize)]
pub(super) struct Header {
    /// The form.
    #[serde(rename = "ssmbakExport")]
    pub(super) format: Option<u64>,
}

/// The whole file. Has no `Debug`: it holds values.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "ssmbakExport")]
    pub(super) format: u64,
    pub(super) path: String,
    #[serde(default)]
    pub(super) recursive: bool,
    pub(super) time: Instant,
    pub(super) prefix: Option<String>,
    /// How many parameters follow; none where a person wrote the file. Where it
    /// is there, `end` has to be, too: YAML that was cut off can be whole YAML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<usize>,
    pub(super) parameters: Vec<Parameter>,
    /// Stands last.
    #[serde(default)]
    pub(super) end: bool,
}

/// One parameter. What is missing was not there, or nobody knows it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(rename = "Type")]
    pub(super) kind: String,
    pub(super) value: String,
    pub(super) version: Option<u64>,
    pub(super) modified: Option<Instant>,
    pub(super) modified_by: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tier: Option<String>,
    pub(super) data_type: Option<String>,
    pub(super) key_id: Option<String>,
    pub(super) allowed_pattern: Option<String>,
    #[serde(default)]
    pub(super) policies: Vec<String>,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    #[serde(default, deserialize_with = "each_tag_once")]
    pub(super) tags: Option<BTreeMap<String, String>>,
}

/// What of a file that can be read is not as it has to be, and of which
/// parameter. Tells no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong(pub(super) String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl File {
    /// The form of an export.
    pub(super) fn of(exported: &Exported) -> Self {
        let recursive = match &exported.target {
            Target::Path { recursive, .. } => *recursive,
            Target::Name(_) => false,
        };
        let prefix = exported.prefix.as_ref().map(Path::as_str);
        let parameters = exported.parameters.iter();
        Self {
            format: FORMAT,
            path: exported.target.as_str().to_owned(),
            recursive,
            time: exported.at,
            prefix: prefix.map(str::to_owned),
            count: Some(exported.parameters.len()),
            end: true,
            parameters: parameters.map(|p| Parameter::of(p, prefix)).collect(),
        }
    }

    fn check_whole(&self) -> Result<(), Wrong> {
        let (found, told) = (self.parameters.len(), self.count);
        match told {
            Some(count) if count != found => Err(Wrong(format!(
                "Count is {count}, and Parameters has {found}: it was cut off, or edited (then \
                 Count has to be, too)"
            ))),
            Some(_) if !self.end => Err(Wrong("it is cut off: End is missing".into())),
            Some(_) | None => Ok(()),
        }
    }

    /// The export that it is the form of.
    pub(super) fn exported(self) -> Result<Exported, Wrong> {
        self.check_whole()?;
        let target = Target::parse(&self.path, self.recursive)
            .map_err(|error| Wrong(format!("Path: {error}")))?;
        let prefix = self.prefix.as_deref().map(Path::parse).transpose();
        let prefix = prefix.map_err(|error| Wrong(format!("Prefix: {error}")))?;
        let mut places = BTreeMap::new();
        let mut parameters = Vec::with_capacity(self.parameters.len());
        for (index, form) in self.parameters.into_iter().enumerate() {
            let place = index + 1;
            let wrong = |what: String| Wrong(format!("parameter {place}: {what}"));
            let parameter = form.exported(prefix.as_ref()).map_err(wrong)?;
            let name = &parameter.name;
            if !target.contains(name) {
                return Err(wrong(format!("{name} does not lie in Path, {target}")));
            }
            if let Some(before) = places.insert(name.clone(), place) {
                return Err(wrong(format!("{name} is parameter {before} already")));
            }
            parameters.push(parameter);
        }
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Exported {
            target,
            at: self.time,
            prefix,
            parameters,
        })
    }
}

impl Parameter {
    fn of(parameter: &ExportedParameter, prefix: Option<&str>) -> Self {
        let name = parameter.name.as_str();
        let relative = prefix.and_then(|prefix| name.strip_prefix(prefix));
        let attributes = parameter.attributes.clone();
        Self {
            name: relative.unwrap_or(name).to_owned(),
            kind: attributes.parameter_type,
            value: parameter.value.expose().to_owned(),
            version: parameter.version,
            modified: parameter.modified,
            modified_by: parameter.modified_by.clone(),
            description: attributes.description,
            tier: attributes.tier,
            data_type: attributes.data_type,
            key_id: attributes.key_id,
            allowed_pattern: attributes.allowed_pattern,
            policies: attributes.policies,
            labels: attributes.labels,
            tags: attributes.tags,
        }
    }

    fn exported(self, prefix: Option<&Path>) -> Result<ExportedParameter, String> {
        let name = whole(&self.name, prefix)?;
        if !["String", "StringList", "SecureString"].contains(&&*self.kind) {
            return Err(format!(
                "{name}: Type must be String, StringList or SecureString"
            ));
        }
        if self.value.is_empty() {
            return Err(format!(
                "{name}: Value is empty, which Parameter Store does not take"
            ));
        }
        let is_json = |text: &String| serde_json::from_str::<serde_json::Value>(text).is_ok();
        if !self.policies.iter().all(is_json) {
            return Err(format!("{name}: each of Policies must be the text of JSON"));
        }
        // Without one it would count as a parameter of the original tool, of which
        // nobody knows key, pattern and policies. Here they are told.
        let tells_more =
            self.key_id.is_some() || self.allowed_pattern.is_some() || !self.policies.is_empty();
        let usual = || tells_more.then(|| "text".to_owned());
        Ok(ExportedParameter {
            name,
            value: Value::new(self.value),
            attributes: Attributes {
                parameter_type: self.kind,
                description: self.description.filter(|text| !text.is_empty()),
                tier: self.tier,
                key_id: self.key_id,
                allowed_pattern: self.allowed_pattern,
                policies: self.policies,
                data_type: self.data_type.or_else(usual),
                labels: self.labels,
                tags: self.tags,
            },
            version: self.version,
            modified: self.modified,
            modified_by: self.modified_by,
        })
    }
}

/// The whole name: below the prefix where there is one.
fn whole(text: &str, prefix: Option<&Path>) -> Result<Name, String> {
    let told = |error: NameError| format!("Name: {error}");
    match prefix {
        None if !text.starts_with('/') => {
            Err("Name must begin with '/', where there is no Prefix".into())
        }
        None => Name::parse(text).map_err(told),
        Some(_) if text.starts_with('/') => {
            Err("Name must not begin with '/': it is relative to Prefix".into())
        }
        // An empty one would leave the path itself.
        Some(_) if text.is_empty() => Err(told(NameError::Empty)),
        Some(prefix) => Name::parse(&format!("{}{text}", prefix.as_str())).map_err(told),
    }
}

/// What `each_tag_once` says; it tells neither key nor value.
pub(super) const TAG_TWICE: &str = "a key of Tags stands there twice";

/// A map takes the last of two equal keys in silence: here that is refused.
fn each_tag_once<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    struct Tags(BTreeMap<String, String>);
    struct EachOnce;

    impl<'de> Visitor<'de> for EachOnce {
        type Value = Tags;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("keys and values of tags")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
            let mut tags = BTreeMap::new();
            while let Some((key, value)) = map.next_entry::<String, String>()? {
                if tags.insert(key, value).is_some() {
                    return Err(A::Error::custom(TAG_TWICE));
                }
            }
            Ok(Tags(tags))
        }
    }

    impl<'de> Deserialize<'de> for Tags {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(EachOnce)
        }
    }

    Ok(Option::<Tags>::deserialize(deserializer)?.map(|tags| tags.0))
}

//! Answers of Parameter Store as the domain has them.

use aws_sdk_ssm::types::{
    ParameterHistory, ParameterInlinePolicy, ParameterMetadata, ParameterStringFilter,
};

use crate::domain::{Attributes, Instant, Live, Name, Retained, RetainedValue, Target, Value};

/// The filter of a listing that finds these names and no other.
pub(super) fn filter_names(names: &[Name]) -> Option<Vec<ParameterStringFilter>> {
    // A listing spells a name at the root without its slash.
    let bare = |name: &Name| {
        let bare = name.as_str().trim_start_matches('/').to_owned();
        Some(bare).filter(|bare| !bare.contains('/'))
    };
    let spelled = |name: &Name| [Some(name.as_str().to_owned()), bare(name)];
    let spelled = names.iter().flat_map(spelled).flatten();
    filter("Name", "Equals", spelled.collect())
}

fn filter(key: &str, option: &str, values: Vec<String>) -> Option<Vec<ParameterStringFilter>> {
    let filter = ParameterStringFilter::builder()
        .key(key)
        .option(option)
        .set_values(Some(values))
        .build();
    filter.ok().map(|f| vec![f])
}

pub(super) fn filters(target: &Target) -> Option<Vec<ParameterStringFilter>> {
    match target {
        Target::Name(name) => filter_names(std::slice::from_ref(name)),
        Target::Path { path, recursive } => {
            // The root has no filter: names without a slash must be listed too.
            let above = path.as_str().strip_suffix('/').filter(|p| !p.is_empty())?;
            let option = if *recursive { "Recursive" } else { "OneLevel" };
            filter("Path", option, vec![above.to_owned()])
        }
    }
}

pub(super) fn instant(time: aws_smithy_types::DateTime) -> Instant {
    Instant::from_float_parts(time.secs(), time.subsec_nanos())
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.is_empty())
}

fn policy_texts(policies: Option<Vec<ParameterInlinePolicy>>) -> Vec<String> {
    let policies = policies.unwrap_or_default();
    policies.into_iter().filter_map(|p| p.policy_text).collect()
}

pub(super) fn read_version(version: ParameterHistory, decrypted: bool) -> Retained {
    let parameter_type = version
        .r#type
        .map_or(String::new(), |t| t.as_str().to_owned());
    let readable = decrypted || parameter_type != "SecureString";
    Retained {
        version: u64::try_from(version.version).unwrap_or_default(),
        modified: version
            .last_modified_date
            .map_or(Instant::EARLIEST, instant),
        modified_by: filled(version.last_modified_user),
        attributes: Attributes {
            parameter_type,
            description: filled(version.description),
            tier: version.tier.map(|t| t.as_str().to_owned()),
            key_id: filled(version.key_id),
            allowed_pattern: filled(version.allowed_pattern),
            policies: policy_texts(version.policies),
            data_type: filled(version.data_type),
            labels: version.labels.unwrap_or_default(),
            tags: None,
        },
        value: match version.value {
            Some(value) if readable => RetainedValue::Read(Value::new(value)),
            _ => RetainedValue::Sealed,
        },
    }
}

pub(super) fn read_metadata(metadata: ParameterMetadata) -> Option<Live> {
    Some(Live {
        name: Name::parse(metadata.name.as_deref()?).ok()?,
        version: u64::try_from(metadata.version).ok()?,
        modified: instant(metadata.last_modified_date?),
        modified_by: filled(metadata.last_modified_user),
        attributes: Attributes {
            parameter_type: metadata.r#type?.as_str().to_owned(),
            description: filled(metadata.description),
            tier: metadata.tier.map(|t| t.as_str().to_owned()),
            key_id: filled(metadata.key_id),
            allowed_pattern: filled(metadata.allowed_pattern),
            policies: policy_texts(metadata.policies),
            data_type: filled(metadata.data_type),
            labels: Vec::new(),
            tags: None,
        },
    })
}

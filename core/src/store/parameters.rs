//! Parameter Store.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{
    ParameterHistory, ParameterInlinePolicy, ParameterMetadata, ParameterStringFilter,
    ParameterTier, ParameterType, ResourceTypeForTagging, Tag,
};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::Clock;
use super::error::{ErrorKind, StoreError};
use super::patience::patiently;
use crate::domain::retained::Tags;
use crate::domain::{
    Attributes, Instant, Live, Look, Name, Retained, RetainedValue, Target, Value,
};

/// Most names that `GetParameters` and `DeleteParameters` take.
pub const NAMES_A_CALL: usize = 10;
/// Most versions that one page of `GetParameterHistory` has.
const HISTORY_PAGE: i32 = 50;
/// Most parameters that one page of `DescribeParameters` has.
const DESCRIBE_PAGE: i32 = 50;
/// How many single values are read at once where a page of them is refused.
const SINGLE_READS: usize = 8;

/// Parameter Store of one account and region.
#[derive(Clone, Debug)]
pub struct Parameters {
    client: Client,
    clock: Clock,
}

/// A version to write.
#[derive(Clone, Debug)]
pub struct PutRequest<'a> {
    /// Its name.
    pub name: &'a Name,
    /// Its value.
    pub value: &'a Value,
    /// Everything else. `tier` only where it has to rise.
    pub attributes: &'a Attributes,
    /// Write over the live version; else the name must not exist.
    pub overwrite: bool,
    /// Whether the live version has policies that must go.
    pub clear_policies: bool,
}

/// What became of names that were to be deleted.
#[derive(Clone, Debug, Default)]
pub struct Deleted {
    /// Deleted now.
    pub deleted: Vec<Name>,
    /// Did not exist.
    pub missing: Vec<Name>,
}

impl Parameters {
    pub(super) fn new(config: &SdkConfig, clock: Clock) -> Self {
        Self {
            client: Client::new(config),
            clock,
        }
    }

    /// Returns every retained version with its value, ascending, without tags.
    /// Not found is an answer, not an error.
    ///
    /// Where one old version cannot be decrypted, history is read without
    /// decryption and values one by one; a value whose key is gone is lost, one
    /// whose key is disabled is sealed.
    /// A denied key or action is an error that names it.
    pub async fn history(&self, name: &Name) -> Result<Look, StoreError> {
        let sent = (self.clock)();
        let retained = match self.history_pages(name, true).await {
            Ok(retained) => retained,
            Err(error) if matches!(error.kind(), ErrorKind::Key | ErrorKind::KeyGone) => {
                self.history_one_by_one(name).await?
            }
            Err(error) => return Err(error),
        };
        Ok(Look { sent, retained })
    }

    /// The retained versions, secrets without their values.
    pub async fn sealed_history(&self, name: &Name) -> Result<Option<Vec<Retained>>, StoreError> {
        self.history_pages(name, false).await
    }

    async fn history_pages(
        &self,
        name: &Name,
        decrypt: bool,
    ) -> Result<Option<Vec<Retained>>, StoreError> {
        let mut retained = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = patiently(|| async {
                let call = self
                    .client
                    .get_parameter_history()
                    .name(name.as_str())
                    .with_decryption(decrypt)
                    .max_results(HISTORY_PAGE)
                    .set_next_token(token.clone());
                let answer = call.send().await;
                answer.map_err(|e| StoreError::of(format!("read the history of {name}"), e))
            })
            .await;
            let page = match page {
                Ok(page) => page,
                Err(error) if error.code() == Some("ParameterNotFound") => return Ok(None),
                Err(error) => return Err(error),
            };
            for version in page.parameters.unwrap_or_default() {
                retained.push(read_version(version, decrypt));
            }
            token = page.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                break;
            }
        }
        retained.sort_by_key(|r| (r.modified, r.version));
        Ok(Some(retained).filter(|r| !r.is_empty()))
    }

    async fn history_one_by_one(&self, name: &Name) -> Result<Option<Vec<Retained>>, StoreError> {
        let Some(mut retained) = self.history_pages(name, false).await? else {
            return Ok(None);
        };
        for version in &mut retained {
            if version.attributes.is_secret() {
                version.value = self.value_of_version(name, version.version).await?;
            }
        }
        Ok(Some(retained))
    }

    async fn value_of_version(
        &self,
        name: &Name,
        version: u64,
    ) -> Result<RetainedValue, StoreError> {
        match self.one_value(&format!("{name}:{version}")).await {
            Ok(Some(value)) => Ok(RetainedValue::Read(value)),
            // Gone between the two calls: the next look will not see it.
            Ok(None) => Ok(RetainedValue::Sealed),
            Err(error) if error.kind() == ErrorKind::KeyGone => Ok(RetainedValue::Lost),
            Err(error) if error.kind() == ErrorKind::Key => Ok(RetainedValue::Sealed),
            Err(error) => Err(error),
        }
    }

    async fn one_value(&self, selector: &str) -> Result<Option<Value>, StoreError> {
        let answer = patiently(|| async {
            let call = self.client.get_parameter().name(selector);
            let answer = call.with_decryption(true).send().await;
            answer.map_err(|e| StoreError::of(format!("read the value of {selector}"), e))
        })
        .await;
        match answer {
            Ok(answer) => Ok(answer.parameter.and_then(|p| p.value).map(Value::new)),
            Err(error) if error.kind() == ErrorKind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The parameter's tags; none when it is gone meanwhile.
    pub async fn tags(&self, name: &Name) -> Result<Option<Tags>, StoreError> {
        let answer = patiently(|| async {
            let call = self
                .client
                .list_tags_for_resource()
                .resource_type(ResourceTypeForTagging::Parameter)
                .resource_id(name.as_str());
            let answer = call.send().await;
            answer.map_err(|e| StoreError::of(format!("read the tags of {name}"), e))
        })
        .await;
        match answer {
            Ok(answer) => {
                let tags = answer.tag_list.unwrap_or_default();
                Ok(Some(tags.into_iter().map(|t| (t.key, t.value)).collect()))
            }
            Err(error) if error.code() == Some("InvalidResourceId") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists what lives: metadata of every parameter of `target`, fifty a
    /// page, in order of names. AWS's own parameters are not among it.
    pub async fn list(&self, target: &Target) -> Result<Vec<Live>, StoreError> {
        let mut found = BTreeMap::new();
        let mut token: Option<String> = None;
        loop {
            let page = patiently(|| async {
                let call = self
                    .client
                    .describe_parameters()
                    .set_parameter_filters(filters(target))
                    .max_results(DESCRIBE_PAGE)
                    .set_next_token(token.clone());
                let answer = call.send().await;
                answer.map_err(|e| StoreError::of(format!("list the parameters of {target}"), e))
            })
            .await?;
            for metadata in page.parameters.unwrap_or_default() {
                if let Some(live) = read_metadata(metadata)
                    && target.contains(&live.name)
                {
                    found.insert(live.name.clone(), live);
                }
            }
            token = page.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(found.into_values().collect())
    }

    /// Reads live values, ten names a call. A name that does not live is not
    /// in the answer. Where a key is denied, its names answer with the error.
    pub async fn values(
        &self,
        names: &[Name],
    ) -> Result<BTreeMap<Name, Result<LiveValue, StoreError>>, StoreError> {
        let chunks = stream::iter(names.chunks(NAMES_A_CALL).map(<[Name]>::to_vec));
        let answers: Vec<_> = chunks
            .map(|chunk| async move { self.ten_values(&chunk).await })
            .buffered(SINGLE_READS)
            .try_collect()
            .await?;
        Ok(answers.into_iter().flatten().collect())
    }

    async fn ten_values(
        &self,
        names: &[Name],
    ) -> Result<Vec<(Name, Result<LiveValue, StoreError>)>, StoreError> {
        match self.get_parameters(names).await {
            Ok(values) => Ok(values.into_iter().map(|(n, v)| (n, Ok(v))).collect()),
            Err(error) if is_unreadable(&error) && names.len() > 1 => {
                let mut answers = Vec::new();
                for name in names {
                    match self.get_parameters(std::slice::from_ref(name)).await {
                        Ok(values) => answers.extend(values.into_iter().map(|(n, v)| (n, Ok(v)))),
                        Err(error) => answers.push((name.clone(), Err(error))),
                    }
                }
                Ok(answers)
            }
            Err(error) if is_unreadable(&error) => {
                Ok(names.iter().take(1).cloned().zip([Err(error)]).collect())
            }
            Err(error) => Err(error),
        }
    }

    async fn get_parameters(&self, names: &[Name]) -> Result<Vec<(Name, LiveValue)>, StoreError> {
        let answer = patiently(|| async {
            let call = self.client.get_parameters().with_decryption(true);
            let texts = names.iter().map(|n| n.as_str().to_owned()).collect();
            let answer = call.set_names(Some(texts)).send().await;
            answer.map_err(|e| StoreError::of(format!("read the value of {}", some(names)), e))
        })
        .await?;
        let parameters = answer.parameters.unwrap_or_default();
        Ok(parameters
            .into_iter()
            .filter_map(|p| {
                let name = Name::parse(p.name.as_deref()?).ok()?;
                let live = LiveValue {
                    version: u64::try_from(p.version).ok()?,
                    modified: p.last_modified_date.map(instant)?,
                    value: Value::new(p.value?),
                };
                Some((name, live))
            })
            .collect())
    }

    /// Writes a version and returns its number.
    ///
    /// Sent once, but for throttling, which is before the work: a second try
    /// after an answer that was lost would write a second version.
    pub async fn put(&self, request: &PutRequest<'_>) -> Result<u64, StoreError> {
        let answer = patiently(|| async {
            let call = self.put_call(request).customize().config_override(
                aws_sdk_ssm::config::Builder::new().retry_config(RetryConfig::disabled()),
            );
            call.send().await.map_err(|e| {
                StoreError::of(format!("write {}", request.name), e).without(request.value.expose())
            })
        })
        .await?;
        Ok(u64::try_from(answer.version).unwrap_or_default())
    }

    fn put_call(
        &self,
        request: &PutRequest<'_>,
    ) -> aws_sdk_ssm::operation::put_parameter::builders::PutParameterFluentBuilder {
        let attributes = request.attributes;
        let secret = attributes.is_secret();
        let given = |text: &Option<String>| match (text, request.overwrite) {
            // What an overwrite omits is retained; "" clears it.
            (None, true) => Some(String::new()),
            (text, _) => text.clone(),
        };
        self.client
            .put_parameter()
            .name(request.name.as_str())
            .value(request.value.expose())
            .r#type(ParameterType::from(attributes.parameter_type.as_str()))
            .overwrite(request.overwrite)
            .set_description(given(&attributes.description))
            .set_allowed_pattern(given(&attributes.allowed_pattern))
            // Omitting the key of a secret falls back to aws/ssm; other types refuse one.
            .set_key_id(attributes.key_id.clone().filter(|_| secret))
            .set_tier(attributes.tier.as_deref().map(ParameterTier::from))
            .set_policies(policies_text(&attributes.policies, request.clear_policies))
            .set_data_type(attributes.data_type.clone())
    }

    /// Makes the tags of `name` equal to `wanted`, given what they are.
    pub async fn set_tags(&self, name: &Name, now: &Tags, wanted: &Tags) -> Result<(), StoreError> {
        let gone: Vec<String> = now
            .keys()
            .filter(|k| !wanted.contains_key(*k))
            .cloned()
            .collect();
        if !gone.is_empty() {
            patiently(|| async {
                let call = self
                    .client
                    .remove_tags_from_resource()
                    .resource_type(ResourceTypeForTagging::Parameter)
                    .resource_id(name.as_str())
                    .set_tag_keys(Some(gone.clone()));
                let answer = call.send().await;
                answer.map_err(|e| StoreError::of(format!("remove tags of {name}"), e))
            })
            .await?;
        }
        let changed: Vec<Tag> = wanted
            .iter()
            .filter(|(k, v)| now.get(*k) != Some(v))
            .filter_map(|(k, v)| Tag::builder().key(k).value(v).build().ok())
            .collect();
        if !changed.is_empty() {
            patiently(|| async {
                let call = self
                    .client
                    .add_tags_to_resource()
                    .resource_type(ResourceTypeForTagging::Parameter)
                    .resource_id(name.as_str())
                    .set_tags(Some(changed.clone()));
                let answer = call.send().await;
                answer.map_err(|e| StoreError::of(format!("add tags to {name}"), e))
            })
            .await?;
        }
        Ok(())
    }

    /// Deletes up to ten parameters with one call.
    pub async fn delete(&self, names: &[Name]) -> Result<Deleted, StoreError> {
        let answer = patiently(|| async {
            let texts = names.iter().map(|n| n.as_str().to_owned()).collect();
            let call = self.client.delete_parameters().set_names(Some(texts));
            let answer = call.send().await;
            answer.map_err(|e| StoreError::of(format!("delete {}", some(names)), e))
        })
        .await?;
        let read = |texts: Option<Vec<String>>| {
            let texts = texts.unwrap_or_default();
            texts.iter().filter_map(|t| Name::parse(t).ok()).collect()
        };
        Ok(Deleted {
            deleted: read(answer.deleted_parameters),
            missing: read(answer.invalid_parameters),
        })
    }
}

/// A live value with the version it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveValue {
    /// The version.
    pub version: u64,
    /// When it was written.
    pub modified: Instant,
    /// Its value.
    pub value: Value,
}

/// One value that cannot be read must not hide the others.
fn is_unreadable(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AccessDenied | ErrorKind::Key | ErrorKind::KeyGone
    )
}

fn some(names: &[Name]) -> String {
    match names {
        [] => "nothing".into(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

fn filters(target: &Target) -> Option<Vec<ParameterStringFilter>> {
    let filter = |key: &str, option: &str, value: &str| {
        let filter = ParameterStringFilter::builder()
            .key(key)
            .option(option)
            .values(value)
            .build();
        filter.ok().map(|f| vec![f])
    };
    match target {
        Target::Name(name) => filter("Name", "Equals", name.as_str()),
        Target::Path { path, recursive } => {
            // The root has no filter: names without a slash must be listed too.
            let above = path.as_str().strip_suffix('/').filter(|p| !p.is_empty())?;
            let option = if *recursive { "Recursive" } else { "OneLevel" };
            filter("Path", option, above)
        }
    }
}

fn instant(time: aws_smithy_types::DateTime) -> Instant {
    Instant::from_float_parts(time.secs(), time.subsec_nanos())
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.is_empty())
}

fn policy_texts(policies: Option<Vec<ParameterInlinePolicy>>) -> Vec<String> {
    let policies = policies.unwrap_or_default();
    policies.into_iter().filter_map(|p| p.policy_text).collect()
}

/// The JSON list that `PutParameter` takes, of the texts that it answers.
fn policies_text(policies: &[String], clear: bool) -> Option<String> {
    match (policies.is_empty(), clear) {
        (true, false) => None,
        (true, true) => Some("[{}]".into()),
        (false, _) => Some(format!("[{}]", policies.join(","))),
    }
}

fn read_version(version: ParameterHistory, decrypted: bool) -> Retained {
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

fn read_metadata(metadata: ParameterMetadata) -> Option<Live> {
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

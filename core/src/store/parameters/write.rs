//! Writing to Parameter Store.

use aws_config::retry::RetryConfig;
use aws_sdk_ssm::operation::put_parameter::builders::PutParameterFluentBuilder;
use aws_sdk_ssm::types::{ParameterTier, ParameterType, ResourceTypeForTagging, Tag};

use super::{Parameters, StoreError, some};
use crate::domain::plan::settable;
use crate::domain::retained::Tags;
use crate::domain::{Attributes, Name, Value};

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
    /// Tags to create it with. An overwrite takes none.
    pub tags: Option<&'a Tags>,
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
    /// Writes a version and returns its number.
    ///
    /// Sent once, but for throttling, which is before the work: a second try
    /// after an answer that was lost would write a second version.
    pub async fn put(&self, request: &PutRequest<'_>) -> Result<u64, StoreError> {
        let answer = self
            .paces
            .puts
            .calls(|| async {
                let call = self.put_call(request).customize().config_override(
                    aws_sdk_ssm::config::Builder::new().retry_config(RetryConfig::disabled()),
                );
                call.send().await.map_err(|e| {
                    StoreError::of("ssm:PutParameter", format!("write {}", request.name), e)
                        .without(request.value.expose(), request.attributes.is_secret())
                })
            })
            .await?;
        Ok(u64::try_from(answer.version).unwrap_or_default())
    }

    fn put_call(&self, request: &PutRequest<'_>) -> PutParameterFluentBuilder {
        let attributes = request.attributes;
        let secret = attributes.is_secret();
        let given = |text: &Option<String>| match (text, request.overwrite) {
            // What an overwrite omits is retained; "" clears it.
            (None, true) => Some(String::new()),
            (text, _) => text.clone(),
        };
        // Those of AWS itself nobody can set.
        let tags = request.tags.filter(|_| !request.overwrite);
        let tags: Vec<Tag> = tags
            .into_iter()
            .flat_map(settable)
            .filter_map(tag)
            .collect();
        self.client
            .put_parameter()
            .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
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

    /// Makes the tags of `name` equal to `wanted`, given what they are. Those of
    /// AWS itself nobody can set.
    pub async fn set_tags(&self, name: &Name, now: &Tags, wanted: &Tags) -> Result<(), StoreError> {
        let gone: Vec<String> = settable(now)
            .filter(|(k, _)| !wanted.contains_key(*k))
            .map(|(k, _)| k.clone())
            .collect();
        if !gone.is_empty() {
            self.paces
                .marks
                .calls(|| async {
                    let call = self
                        .client
                        .remove_tags_from_resource()
                        .resource_type(ResourceTypeForTagging::Parameter)
                        .resource_id(name.as_str())
                        .set_tag_keys(Some(gone.clone()));
                    let answer = call.send().await;
                    answer.map_err(|e| {
                        StoreError::of(
                            "ssm:RemoveTagsFromResource",
                            format!("remove tags of {name}"),
                            e,
                        )
                    })
                })
                .await?;
        }
        let changed: Vec<Tag> = settable(wanted)
            .filter(|(k, v)| now.get(*k) != Some(v))
            .filter_map(tag)
            .collect();
        if !changed.is_empty() {
            self.paces
                .marks
                .calls(|| async {
                    let call = self
                        .client
                        .add_tags_to_resource()
                        .resource_type(ResourceTypeForTagging::Parameter)
                        .resource_id(name.as_str())
                        .set_tags(Some(changed.clone()));
                    let answer = call.send().await;
                    answer.map_err(|e| {
                        StoreError::of("ssm:AddTagsToResource", format!("add tags to {name}"), e)
                    })
                })
                .await?;
        }
        Ok(())
    }

    /// Puts labels on a version; each leaves the version that has it. Returns
    /// those that Parameter Store refuses.
    pub async fn label(
        &self,
        name: &Name,
        version: u64,
        labels: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let attempted = format!("label version {version} of {name}");
        let answer = self
            .paces
            .marks
            .calls(|| async {
                let call = self
                    .client
                    .label_parameter_version()
                    .name(name.as_str())
                    .parameter_version(i64::try_from(version).unwrap_or(i64::MAX))
                    .set_labels(Some(labels.to_vec()));
                let answer = call.send().await;
                answer
                    .map_err(|e| StoreError::of("ssm:LabelParameterVersion", attempted.as_str(), e))
            })
            .await?;
        Ok(answer.invalid_labels.unwrap_or_default())
    }

    /// Deletes up to ten parameters with one call.
    pub async fn delete(&self, names: &[Name]) -> Result<Deleted, StoreError> {
        let answer = self
            .paces
            .deletes
            .calls(|| async {
                let texts = names.iter().map(|n| n.as_str().to_owned()).collect();
                let call = self.client.delete_parameters().set_names(Some(texts));
                let answer = call.send().await;
                answer.map_err(|e| {
                    StoreError::of("ssm:DeleteParameters", format!("delete {}", some(names)), e)
                })
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

fn tag((key, value): (&String, &String)) -> Option<Tag> {
    Tag::builder().key(key).value(value).build().ok()
}

/// The JSON list that `PutParameter` takes, of the texts that it answers.
fn policies_text(policies: &[String], clear: bool) -> Option<String> {
    match (policies.is_empty(), clear) {
        (true, false) => None,
        (true, true) => Some("[{}]".into()),
        (false, _) => Some(format!("[{}]", policies.join(","))),
    }
}

//! Parameter Store.

mod listed;
mod shapes;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{ParameterStringFilter, ResourceTypeForTagging};
use futures_util::{StreamExt, TryStreamExt, stream};

use self::shapes::{filter_names, filters, instant, read_metadata, read_version};
pub use self::write::{Deleted, PutRequest};
use super::Clock;
use super::error::{ErrorKind, StoreError};
use super::pace::Pace;
use super::retries::LeaveThrottled;
use crate::domain::retained::Tags;
use crate::domain::{Instant, Live, Look, Name, Retained, RetainedValue, Target, Value};

/// Most names that `GetParameters` and `DeleteParameters` take.
pub const NAMES_A_CALL: usize = 10;
/// Most versions that one page of `GetParameterHistory` has.
const HISTORY_PAGE: i32 = 50;
/// Most parameters that one page of `DescribeParameters` has.
const DESCRIBE_PAGE: i32 = 50;
/// What is known to be there is looked at again after these waits where a look
/// did not show it.
pub(crate) const LOOKS_AFTER_MS: [u64; 3] = [0, 1_000, 2_000];
/// How many names a listing is filtered by: AWS takes 50 values, and a name at
/// the root has two spellings.
const NAMES_A_LISTING: usize = 25;
/// How many single values are read at once where a page of them is refused.
const SINGLE_READS: usize = 8;

/// Parameter Store of one account and region.
#[derive(Clone, Debug)]
pub struct Parameters {
    client: Client,
    clock: Clock,
    paces: Paces,
}

/// The pace of each group of calls that share a limit.
#[derive(Clone, Debug, Default)]
struct Paces {
    /// `GetParameter`, `GetParameters`, `GetParameterHistory`.
    gets: Pace,
    /// `DescribeParameters`.
    listings: Pace,
    /// `ListTagsForResource`.
    tags: Pace,
    /// `PutParameter`.
    puts: Pace,
    /// `DeleteParameters`.
    deletes: Pace,
    /// Tags and labels.
    marks: Pace,
}

impl Parameters {
    pub(super) fn new(config: &SdkConfig, clock: Clock) -> Self {
        Self {
            client: crate::told_client!(aws_sdk_ssm, config, retry_classifier(LeaveThrottled)),
            clock,
            paces: Paces::default(),
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

    /// The retained versions with their values, ascending; an error where one
    /// of them cannot be decrypted.
    pub async fn open_history(&self, name: &Name) -> Result<Option<Vec<Retained>>, StoreError> {
        self.history_pages(name, true).await
    }

    /// The retained versions, secrets without their values.
    pub async fn sealed_history(&self, name: &Name) -> Result<Option<Vec<Retained>>, StoreError> {
        self.history_pages(name, false).await
    }

    /// The labels of the live version; none where it is no longer retained.
    pub async fn labels(&self, live: &Live) -> Result<Option<Vec<String>>, StoreError> {
        let retained = self.sealed_history(&live.name).await?.unwrap_or_default();
        let is_live = |r: &Retained| r.version == live.version && r.modified == live.modified;
        Ok(retained
            .into_iter()
            .find(is_live)
            .map(|r| r.attributes.labels))
    }

    async fn history_pages(
        &self,
        name: &Name,
        decrypt: bool,
    ) -> Result<Option<Vec<Retained>>, StoreError> {
        let mut retained = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .paces
                .gets
                .calls(|| async {
                    let call = self
                        .client
                        .get_parameter_history()
                        .name(name.as_str())
                        .with_decryption(decrypt)
                        .max_results(HISTORY_PAGE)
                        .set_next_token(token.clone());
                    let answer = call.send().await;
                    answer.map_err(|e| {
                        StoreError::of(
                            "ssm:GetParameterHistory",
                            format!("read the history of {name}"),
                            e,
                        )
                    })
                })
                .await;
            let page = match page {
                Ok(page) => page,
                // Deleted between two pages: what was read was retained all the same.
                Err(error) if error.code() == Some("ParameterNotFound") => break,
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
        let answer = self
            .paces
            .gets
            .calls(|| async {
                let call = self.client.get_parameter().name(selector);
                let answer = call.with_decryption(true).send().await;
                answer.map_err(|e| {
                    StoreError::of(
                        "ssm:GetParameter",
                        format!("read the value of {selector}"),
                        e,
                    )
                })
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
        let answer = self
            .paces
            .tags
            .calls(|| async {
                let call = self
                    .client
                    .list_tags_for_resource()
                    .resource_type(ResourceTypeForTagging::Parameter)
                    .resource_id(name.as_str());
                let answer = call.send().await;
                answer.map_err(|e| {
                    StoreError::of(
                        "ssm:ListTagsForResource",
                        format!("read the tags of {name}"),
                        e,
                    )
                })
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
        let found = self.listed(filters(target), &target.to_string()).await?;
        let contained = |live: &Live| target.contains(&live.name);
        Ok(found.into_values().filter(contained).collect())
    }

    /// The metadata of those of `names` that live, in order of names: a call for
    /// every 25, since a name at the root is asked for in both its spellings.
    pub async fn list_names(&self, names: &[Name]) -> Result<Vec<Live>, StoreError> {
        let chunks = stream::iter(names.chunks(NAMES_A_LISTING).map(<[Name]>::to_vec));
        let pages: Vec<_> = chunks
            .map(|chunk| async move { self.listed(filter_names(&chunk), &some(&chunk)).await })
            .buffered(SINGLE_READS)
            .try_collect()
            .await?;
        let wanted: BTreeSet<&Name> = names.iter().collect();
        let found: BTreeMap<Name, Live> = pages.into_iter().flatten().collect();
        Ok(found
            .into_values()
            .filter(|live| wanted.contains(&live.name))
            .collect())
    }

    async fn listed(
        &self,
        filters: Option<Vec<ParameterStringFilter>>,
        told: &str,
    ) -> Result<BTreeMap<Name, Live>, StoreError> {
        let mut found = BTreeMap::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .paces
                .listings
                .calls(|| async {
                    let call = self
                        .client
                        .describe_parameters()
                        .set_parameter_filters(filters.clone())
                        .max_results(DESCRIBE_PAGE)
                        .set_next_token(token.clone());
                    let answer = call.send().await;
                    answer.map_err(|e| {
                        StoreError::of(
                            "ssm:DescribeParameters",
                            format!("list the parameters of {told}"),
                            e,
                        )
                    })
                })
                .await?;
            let listed = page.parameters.unwrap_or_default().into_iter();
            found.extend(
                listed
                    .filter_map(read_metadata)
                    .map(|l| (l.name.clone(), l)),
            );
            token = page.next_token.filter(|t| !t.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
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
        let answer = self
            .paces
            .gets
            .calls(|| async {
                let call = self.client.get_parameters().with_decryption(true);
                let texts = names.iter().map(|n| n.as_str().to_owned()).collect();
                let answer = call.set_names(Some(texts)).send().await;
                answer.map_err(|e| {
                    StoreError::of(
                        "ssm:GetParameters",
                        format!("read the value of {}", some(names)),
                        e,
                    )
                })
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

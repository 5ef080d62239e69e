//! A change set: what CloudFormation would do, told before it is done.

use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType, Parameter, Tag};

use super::changes::{ResourceChange, splits_history};
use super::watch::{OnStep, Step, refused};
use super::{DeployError, Pace};
use crate::event::Feed;
use crate::stack::Stack;

/// Far more pages than a change set of this template has.
const MAX_PAGES: usize = 20;

/// What a stack is to be.
pub(super) struct Wanted {
    pub(super) template: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) tags: Vec<Tag>,
}

/// A change set that is ready, and not executed.
#[derive(Debug)]
pub(super) struct ChangeSet {
    stack: String,
    stack_id: String,
    id: String,
    pub(super) changes: Vec<ResourceChange>,
}

impl ChangeSet {
    /// Makes a change set; none: the stack is what is wanted.
    ///
    /// One that would take away a bucket, table or key is refused. Where none is returned, none is
    /// left behind.
    pub(super) async fn make(
        client: &Client,
        stack: &Stack,
        wanted: Wanted,
        pace: Pace,
    ) -> Result<Option<Self>, DeployError> {
        let created = client
            .create_change_set()
            .stack_name(&stack.id)
            .change_set_name(format!("ssmbak-{}", uuid::Uuid::new_v4()))
            .change_set_type(ChangeSetType::Update)
            .template_body(wanted.template)
            .set_parameters(Some(wanted.parameters))
            .set_tags(Some(wanted.tags))
            .capabilities(Capability::CapabilityIam)
            .send()
            .await
            .map_err(refused("cloudformation:CreateChangeSet"))?;
        let mut made = Self {
            stack: stack.name.clone(),
            stack_id: stack.id.clone(),
            id: created.id.unwrap_or_default(),
            changes: Vec::new(),
        };
        match made.read(client, pace).await {
            Ok(Some(changes)) => {
                made.changes = changes;
                Ok(Some(made))
            }
            Ok(None) => made.discard(client).await.map(|()| None),
            Err(error) => {
                // The error is what is to be told; a change set that stays does nothing by itself.
                let _ = made.discard(client).await;
                Err(error)
            }
        }
    }

    /// Reads the change set once it is ready; none: it changes nothing.
    async fn read(
        &self,
        client: &Client,
        pace: Pace,
    ) -> Result<Option<Vec<ResourceChange>>, DeployError> {
        let mut waited = Duration::ZERO;
        let mut changes = Vec::new();
        let mut token: Option<String> = None;
        let mut pages = 0;
        loop {
            let page = client
                .describe_change_set()
                .stack_name(&self.stack_id)
                .change_set_name(&self.id)
                .set_next_token(token.take())
                .send()
                .await
                .map_err(refused("cloudformation:DescribeChangeSet"))?;
            match page.status() {
                Some(ChangeSetStatus::CreateComplete) => {
                    let reported = page.changes().iter().filter_map(|c| c.resource_change());
                    changes.extend(reported.map(ResourceChange::from_reported));
                    pages += 1;
                    token = page.next_token().map(str::to_owned);
                    if token.is_none() {
                        return self.judged(changes).map(Some);
                    }
                    if pages == MAX_PAGES {
                        return Err(self.too_long(pages));
                    }
                }
                Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress)
                    if waited < pace.limit =>
                {
                    tokio::time::sleep(pace.pause()).await;
                    waited += pace.pause();
                }
                _ => return self.not_ready(page.status_reason().unwrap_or_default()),
            }
        }
    }

    fn judged(&self, changes: Vec<ResourceChange>) -> Result<Vec<ResourceChange>, DeployError> {
        let split = splits_history(&changes);
        if split.is_empty() {
            return Ok(changes);
        }
        Err(DeployError::SplitsHistory {
            stack: self.stack.clone(),
            changes: split,
        })
    }

    /// A list that was not read to its end is not judged: the bucket's removal may be what is missing.
    fn too_long(&self, pages: usize) -> DeployError {
        DeployError::ChangeSet {
            stack: self.stack.clone(),
            reason: format!("its changes do not fit in {pages} pages, and were not all read"),
        }
    }

    /// A change set that would change nothing is told as one that failed.
    fn not_ready(&self, reason: &str) -> Result<Option<Vec<ResourceChange>>, DeployError> {
        let nothing = reason.contains("didn't contain changes")
            || reason.contains("No updates are to be performed");
        if nothing {
            return Ok(None);
        }
        Err(DeployError::ChangeSet {
            stack: self.stack.clone(),
            reason: match reason {
                "" => "CloudFormation tells no reason".into(),
                reason => reason.into(),
            },
        })
    }

    /// Deletes the change set: nothing is changed.
    pub(super) async fn discard(&self, client: &Client) -> Result<(), DeployError> {
        client
            .delete_change_set()
            .stack_name(&self.stack_id)
            .change_set_name(&self.id)
            .send()
            .await
            .map_err(refused("cloudformation:DeleteChangeSet"))?;
        Ok(())
    }

    /// Begins to do what was told, and returns what tells of it from now on. What cannot be done is
    /// rolled back by CloudFormation. Where it cannot be begun, the change set is not left behind.
    pub(super) async fn begin(
        &self,
        client: &Client,
        on_step: OnStep<'_>,
    ) -> Result<Feed, DeployError> {
        let begun = self.execute(client, on_step).await;
        if begun.is_err() {
            // The error is what is to be told.
            let _ = self.discard(client).await;
        }
        begun
    }

    async fn execute(&self, client: &Client, on_step: OnStep<'_>) -> Result<Feed, DeployError> {
        let feed = Feed::from_now(client, &self.stack_id).await?;
        on_step(Step::Begins);
        client
            .execute_change_set()
            .stack_name(&self.stack_id)
            .change_set_name(&self.id)
            .disable_rollback(false)
            // An answer that was lost is asked for again, which must not look like a second update.
            .client_request_token(uuid::Uuid::new_v4().to_string())
            .send()
            .await
            .map_err(refused("cloudformation:ExecuteChangeSet"))?;
        Ok(feed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change_set() -> ChangeSet {
        ChangeSet {
            stack: "prod".into(),
            stack_id: String::new(),
            id: String::new(),
            changes: Vec::new(),
        }
    }

    #[test]
    fn a_change_set_without_changes_is_no_failure() {
        for reason in [
            "The submitted information didn't contain changes. Submit different information to \
             create a change set.",
            "No updates are to be performed.",
        ] {
            assert!(change_set().not_ready(reason).unwrap().is_none());
        }
        let error = change_set().not_ready("Template error: no").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the stack prod cannot be updated: Template error: no"
        );
    }
}

//! A new table for the index, as the template makes it.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ScalarAttributeType, SseSpecification, SseType, TableStatus,
};

use super::rows::misshapen;
use super::{ErrorKind, Index, StoreError, patiently};

/// A new table is looked at again after this long...
const LOOK_AGAIN_MS: u64 = 500;
/// ...for about five minutes.
const MOST_LOOKS: u32 = 600;

impl Index {
    /// Whether the table exists and can be used.
    pub async fn exists(&self) -> Result<bool, StoreError> {
        match self.item(crate::domain::keys::META, "format").await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Missing => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes the table as the template does: on demand, deletion protected,
    /// with point-in-time recovery; encrypted with `key` where one is given.
    ///
    /// One that exists already is left as it is. No policy of the stack allows
    /// this.
    pub async fn create(&self, key: Option<&str>) -> Result<(), StoreError> {
        if self.exists().await? {
            return Ok(());
        }
        let mut create = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .deletion_protection_enabled(true)
            .set_sse_specification(key.map(|key| {
                SseSpecification::builder()
                    .enabled(true)
                    .sse_type(SseType::Kms)
                    .kms_master_key_id(key)
                    .build()
            }));
        for (name, kind) in [("scope", KeyType::Hash), ("entry", KeyType::Range)] {
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build();
            let element = KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build();
            create = create
                .attribute_definitions(attribute.map_err(|e| misshapen(&e.to_string()))?)
                .key_schema(element.map_err(|e| misshapen(&e.to_string()))?);
        }
        let created = patiently(|| async {
            let answer = create.clone().send().await;
            answer.map_err(|e| self.error("dynamodb:CreateTable", "create", e))
        });
        match created.await {
            // Another is making it.
            Err(error) if error.code() != Some("ResourceInUseException") => return Err(error),
            _ => self.wait_until_active().await?,
        }
        let recovery = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(true)
            .build()
            .map_err(|e| misshapen(&e.to_string()))?;
        patiently(|| async {
            let call = self.client.update_continuous_backups();
            let call = call.table_name(&self.table);
            let call = call.point_in_time_recovery_specification(recovery.clone());
            let answer = call.send().await;
            answer.map_err(|e| {
                self.error(
                    "dynamodb:UpdateContinuousBackups",
                    "turn on point-in-time recovery of",
                    e,
                )
            })
        })
        .await?;
        Ok(())
    }

    async fn wait_until_active(&self) -> Result<(), StoreError> {
        for _ in 0..MOST_LOOKS {
            let answer = patiently(|| async {
                let call = self.client.describe_table().table_name(&self.table);
                call.send()
                    .await
                    .map_err(|e| self.error("dynamodb:DescribeTable", "look at", e))
            });
            match answer.await {
                Ok(answer) => {
                    let table = answer.table.and_then(|t| t.table_status);
                    if table == Some(TableStatus::Active) {
                        return Ok(());
                    }
                }
                // Right after its creation it may not be seen yet.
                Err(error) if error.kind() == ErrorKind::Missing => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(Duration::from_millis(LOOK_AGAIN_MS)).await;
        }
        Err(StoreError::new(
            format!("create the table {}", self.table),
            ErrorKind::Unreachable,
            "it is still not ready",
        ))
    }
}

//! `DynamoDB`: tables with `scope` and `entry` as their keys.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::expression::Expression;
use super::items::{Item, Rows, bytes, text};
use super::parameters::Refused;

/// A page of a query ends here, before anything is left out of it.
const PAGE_BYTES: usize = 1_048_576;
const ITEM_BYTES: usize = 409_600;
/// Most rows of one transaction, and of one batch of reads.
const TRANSACTION: usize = 100;

#[derive(Debug, Default)]
struct Table {
    rows: Rows,
    protected: bool,
    recovers: bool,
}

/// The tables of an account.
#[derive(Debug, Default)]
pub(super) struct Tables {
    all: BTreeMap<String, Table>,
}

type Answer = Result<Value, Refused>;
/// A key, and the row that is to stand there.
type Written = ((String, String), Item);

impl Tables {
    pub(super) fn make(&mut self, table: &str) {
        self.all.insert(table.to_owned(), Table::default());
    }

    pub(super) fn rows(&self, table: &str) -> Vec<Value> {
        let rows = self.all.get(table).map(|t| t.rows.all());
        rows.into_iter()
            .flatten()
            .map(|item| Value::Object(item.clone()))
            .collect()
    }

    /// `most` is how many rows a page has at most, where that is fewer than fit.
    pub(super) fn answer(&mut self, operation: &str, asked: &Value, most: Option<usize>) -> Answer {
        match operation {
            "CreateTable" => self.create(asked),
            "DeleteTable" => {
                self.table(asked)?;
                self.all
                    .remove(asked["TableName"].as_str().unwrap_or_default());
                Ok(json!({}))
            }
            "DescribeTable" => self.describe(asked),
            "UpdateContinuousBackups" => {
                let wanted = &asked["PointInTimeRecoverySpecification"];
                self.table(asked)?.recovers = wanted["PointInTimeRecoveryEnabled"] == true;
                self.backups(asked)
            }
            "DescribeContinuousBackups" => self.backups(asked),
            "GetItem" => self.get(asked),
            "BatchGetItem" => self.get_some(asked),
            "PutItem" | "UpdateItem" => self.write(asked),
            "TransactWriteItems" => self.transact(asked),
            "Query" => self.query(asked, most),
            "Scan" => {
                let rows = self.table(asked)?.rows.all();
                let rows: Vec<&Item> = rows.collect();
                Ok(json!({"Items": rows, "Count": rows.len()}))
            }
            other => Err(Refused::not_simulated(other)),
        }
    }

    fn table(&mut self, asked: &Value) -> Result<&mut Table, Refused> {
        let name = asked["TableName"].as_str().unwrap_or_default();
        let told = "Cannot do operations on a non-existent table";
        let table = self.all.get_mut(name);
        table.ok_or_else(|| Refused::bad("ResourceNotFoundException", told))
    }

    fn create(&mut self, asked: &Value) -> Answer {
        let name = asked["TableName"].as_str().unwrap_or_default();
        if self.all.contains_key(name) {
            return Err(Refused::bad("ResourceInUseException", "it exists"));
        }
        let protected = asked["DeletionProtectionEnabled"] == true;
        let table = Table {
            protected,
            ..Table::default()
        };
        self.all.insert(name.to_owned(), table);
        self.describe(asked)
    }

    fn describe(&mut self, asked: &Value) -> Answer {
        let protected = self.table(asked)?.protected;
        Ok(json!({"Table": {
            "TableName": asked["TableName"],
            "TableStatus": "ACTIVE",
            "DeletionProtectionEnabled": protected,
        }, "TableDescription": {"TableName": asked["TableName"], "TableStatus": "ACTIVE"}}))
    }

    fn backups(&mut self, asked: &Value) -> Answer {
        let status = if self.table(asked)?.recovers {
            "ENABLED"
        } else {
            "DISABLED"
        };
        Ok(json!({"ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status},
        }}))
    }

    fn get(&mut self, asked: &Value) -> Answer {
        Expression::of(asked).check_all_used()?;
        let found = self.table(asked)?.rows.get(&key(&asked["Key"])?);
        let found = found.map(|item| Expression::of(asked).project(item));
        Ok(match found.transpose()? {
            Some(item) => json!({"Item": item}),
            None => json!({}),
        })
    }

    fn get_some(&mut self, asked: &Value) -> Answer {
        let mut responses = serde_json::Map::new();
        for (name, wanted) in asked["RequestItems"].as_object().into_iter().flatten() {
            let keys = wanted["Keys"].as_array().into_iter().flatten();
            let keys: Vec<(String, String)> = keys.map(key).collect::<Result<_, _>>()?;
            let mut unique = keys.clone();
            unique.sort();
            unique.dedup();
            if keys.len() > TRANSACTION || unique.len() != keys.len() {
                return Err(invalid("at most 100 keys, none twice"));
            }
            let table = self.table(&json!({"TableName": name}))?;
            let mut found = Vec::new();
            for key in &keys {
                if let Some(item) = table.rows.get(key) {
                    found.push(Value::Object(Expression::of(wanted).project(item)?));
                }
            }
            responses.insert(name.clone(), found.into());
        }
        Ok(json!({"Responses": responses, "UnprocessedKeys": {}}))
    }

    /// One write, in a transaction or not.
    fn write(&mut self, asked: &Value) -> Answer {
        let (key, after) = self.written(asked)?.ok_or_else(|| {
            let told = "The conditional request failed";
            Refused::bad("ConditionalCheckFailedException", told)
        })?;
        self.table(asked)?.rows.insert(key, after);
        Ok(json!({}))
    }

    /// The row that a write makes; none where its condition does not hold.
    fn written(&mut self, asked: &Value) -> Result<Option<Written>, Refused> {
        let expression = Expression::of(asked);
        expression.check_all_used()?;
        let table = self.table(asked)?;
        let (key, item) = match asked["Item"].as_object() {
            Some(item) => (key(&asked["Item"])?, Some(item.clone())),
            None => (key(&asked["Key"])?, None),
        };
        let there = table.rows.get(&key);
        if !expression.holds(there)? {
            return Ok(None);
        }
        let after = if let Some(item) = item {
            item
        } else {
            let keys = asked["Key"].as_object().cloned().unwrap_or_default();
            let mut item = there.cloned().unwrap_or(keys);
            expression.update(&mut item)?;
            item
        };
        if bytes(&after) > ITEM_BYTES {
            return Err(invalid("Item size has exceeded the maximum allowed size"));
        }
        Ok(Some((key, after)))
    }

    fn transact(&mut self, asked: &Value) -> Answer {
        let items = asked["TransactItems"].as_array();
        let items: Vec<&Value> = items.into_iter().flatten().collect();
        if items.is_empty() || items.len() > TRANSACTION {
            return Err(invalid("a transaction has 1 to 100 rows"));
        }
        let (mut writes, mut reasons) = (Vec::new(), Vec::new());
        for item in items {
            let part = ["Put", "Update"].iter().find_map(|kind| item.get(*kind));
            let part = part.ok_or_else(|| Refused::not_simulated("that in a transaction"))?;
            let written = self.written(part)?;
            reasons.push(match written {
                Some(_) => json!({"Code": "None"}),
                None => json!({"Code": "ConditionalCheckFailed", "Message": "it failed"}),
            });
            writes.extend(written.map(|write| (part, write)));
        }
        let mut keys: Vec<_> = writes
            .iter()
            .map(|(part, (key, _))| (part["TableName"].as_str(), key))
            .collect();
        keys.sort();
        if keys.windows(2).any(|two| two[0] == two[1]) {
            return Err(invalid("no row twice in a transaction"));
        }
        if writes.len() < reasons.len() {
            return Err(cancelled(reasons));
        }
        for (part, (key, item)) in writes {
            self.table(part)?.rows.insert(key, item);
        }
        Ok(json!({}))
    }

    fn query(&mut self, asked: &Value, most: Option<usize>) -> Answer {
        let expression = Expression::of(asked);
        expression.check_all_used()?;
        let range = expression.key_range()?;
        let backwards = asked["ScanIndexForward"] == false;
        let limit = asked["Limit"]
            .as_u64()
            .and_then(|n| usize::try_from(n).ok());
        let limit = limit.unwrap_or(usize::MAX).min(most.unwrap_or(usize::MAX));
        let start = asked["ExclusiveStartKey"]["entry"]["S"].as_str();
        let table = self.table(asked)?;
        let wanted = |(entry, _): &(&String, &Item)| {
            let past = |start: &str| {
                if backwards {
                    entry.as_str() < start
                } else {
                    entry.as_str() > start
                }
            };
            range.to.as_ref().is_none_or(|to| *entry <= to)
                && entry.starts_with(&range.prefix)
                && start.is_none_or(past)
        };
        let partition = table.rows.partition(&range.scope);
        let rows = partition.map(|p| p.range(range.from.clone()..).filter(wanted));
        let mut rows: Vec<(&String, &Item)> = rows.into_iter().flatten().collect();
        if backwards {
            rows.reverse();
        }
        let (mut items, mut size, mut last) = (Vec::new(), 0, None);
        for (entry, item) in &rows {
            size += bytes(item);
            last = Some((*entry).clone());
            items.push(expression.project(item)?);
            if items.len() >= limit || size > PAGE_BYTES {
                break;
            }
        }
        // A page that ends at its limit says that there may be more, even where there is not.
        let more = items.len() >= limit || items.len() < rows.len();
        let mut answer = json!({"Count": items.len(), "ScannedCount": items.len()});
        answer["Items"] = items.into_iter().map(Value::Object).collect();
        if let Some(last) = last.filter(|_| more) {
            answer["LastEvaluatedKey"] = json!({"scope": {"S": range.scope}, "entry": {"S": last}});
        }
        Ok(answer)
    }
}

fn key(item: &Value) -> Result<(String, String), Refused> {
    let key = item.as_object().and_then(|item| {
        let part = |name| text(item, name).map(str::to_owned);
        Some((part("scope")?, part("entry")?))
    });
    let key = key.filter(|(scope, entry)| !scope.is_empty() && !entry.is_empty());
    key.ok_or_else(|| invalid("the key lacks scope or entry"))
}

/// A cancelled transaction, with the reason of each of its rows.
pub(super) fn cancelled(reasons: Vec<Value>) -> Refused {
    let told = "Transaction cancelled, please refer cancellation reasons for specific reasons";
    let mut refused = Refused::bad("TransactionCanceledException", told);
    refused.reasons = Some(reasons.into());
    refused
}

fn invalid(told: &str) -> Refused {
    Refused::bad("ValidationException", told)
}

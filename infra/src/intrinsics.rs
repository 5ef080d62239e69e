//! The template's intrinsic functions, worked out without CloudFormation.
//!
//! Only those are known that the template's policies use; any other one is refused, never passed
//! through.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value as Json, json};

/// The functions that [`Resolver`] knows, beside `Ref`.
const KNOWN: &str = "Fn::GetAtt, Fn::If, Fn::Join, Fn::Sub";

/// What the template stands in: a stack that is, or that could be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The stack's name.
    pub(crate) stack: String,
    /// Its ARN; none where it does not exist.
    pub(crate) stack_id: Option<String>,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The region.
    pub(crate) region: String,
    /// The account.
    pub(crate) account: String,
    /// Parameters as the stack has them; the others have their defaults.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Physical by logical ids, of what the stack has. Of anything else a pattern is told.
    pub(crate) resources: BTreeMap<String, String>,
}

/// Works out nodes of one template in one setting.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    template: &'a Json,
    setting: &'a Setting,
}

/// Reads a template; its short tags (`!Ref`) become the long form (`{"Ref": ...}`).
pub(crate) fn parse(template: &str) -> Result<Json, IntrinsicError> {
    let unreadable = |why: String| IntrinsicError::Unreadable { why };
    let documents = Yaml::load_from_str(template).map_err(|e| unreadable(e.to_string()))?;
    match documents.first() {
        Some(document) => from_yaml(document),
        None => Err(unreadable("it is empty".into())),
    }
}

fn from_yaml(node: &Yaml<'_>) -> Result<Json, IntrinsicError> {
    if let Yaml::Tagged(tag, inner) = node {
        let argument = from_yaml(inner)?;
        return Ok(match (tag.suffix.as_str(), &argument) {
            (short @ ("Ref" | "Condition"), _) => json!({short: argument}),
            ("GetAtt", Json::String(dotted)) => {
                let (resource, attribute) = dotted.split_once('.').unwrap_or((dotted, ""));
                json!({"Fn::GetAtt": [resource, attribute]})
            }
            (other, _) => json!({format!("Fn::{other}"): argument}),
        });
    }
    if let Some(items) = node.as_vec() {
        return items.iter().map(from_yaml).collect();
    }
    if let Some(mapping) = node.as_mapping() {
        let mut object = Map::new();
        for (key, value) in mapping {
            let key = scalar(key)?;
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            object.insert(key, from_yaml(value)?);
        }
        return Ok(Json::Object(object));
    }
    scalar(node)
}

fn scalar(node: &Yaml<'_>) -> Result<Json, IntrinsicError> {
    if let Some(text) = node.as_str() {
        Ok(text.into())
    } else if let Some(truth) = node.as_bool() {
        Ok(truth.into())
    } else if let Some(number) = node.as_integer() {
        Ok(number.into())
    } else if let Some(number) = node.as_floating_point() {
        Ok(number.into())
    } else if node.is_null() {
        Ok(Json::Null)
    } else {
        Err(IntrinsicError::Unreadable {
            why: "a node is neither text, number nor truth".into(),
        })
    }
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(template: &'a Json, setting: &'a Setting) -> Self {
        Self { template, setting }
    }

    /// Returns `node` without any intrinsic function; none where it comes to `AWS::NoValue`.
    pub(crate) fn resolve(&self, node: &Json) -> Result<Option<Json>, IntrinsicError> {
        match node {
            Json::Array(items) => {
                let mut resolved = Vec::new();
                for item in items {
                    resolved.extend(self.resolve(item)?);
                }
                Ok(Some(Json::Array(resolved)))
            }
            Json::Object(fields) => {
                if let Some((function, argument)) = call(fields) {
                    return self.call(function, argument);
                }
                let mut resolved = Map::new();
                for (key, value) in fields {
                    if let Some(value) = self.resolve(value)? {
                        resolved.insert(key.clone(), value);
                    }
                }
                Ok(Some(Json::Object(resolved)))
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                Ok(Some(node.clone()))
            }
        }
    }

    fn call(&self, function: &str, argument: &Json) -> Result<Option<Json>, IntrinsicError> {
        let malformed = || IntrinsicError::Malformed {
            function: function.to_owned(),
        };
        match function {
            "Ref" => self.reference(argument.as_str().ok_or_else(malformed)?),
            "Fn::GetAtt" => match argument.as_array().map(Vec::as_slice) {
                Some([Json::String(resource), Json::String(attribute)]) => {
                    Ok(Some(self.attribute(resource, attribute)?.into()))
                }
                _ => Err(malformed()),
            },
            "Fn::If" => match argument.as_array().map(Vec::as_slice) {
                Some([Json::String(condition), then, otherwise]) => {
                    let chosen = self.condition(condition)?;
                    self.resolve(if chosen { then } else { otherwise })
                }
                _ => Err(malformed()),
            },
            "Fn::Join" => match argument.as_array().map(Vec::as_slice) {
                Some([Json::String(between), items]) => {
                    let items = self.resolve(items)?.ok_or_else(malformed)?;
                    let items = items.as_array().ok_or_else(malformed)?;
                    let parts: Vec<_> = items.iter().map(as_text).collect();
                    Ok(Some(parts.join(between).into()))
                }
                _ => Err(malformed()),
            },
            "Fn::Sub" => Ok(Some(
                self.substitute(argument.as_str().ok_or_else(malformed)?)?
                    .into(),
            )),
            other => Err(IntrinsicError::UnknownFunction {
                function: other.to_owned(),
            }),
        }
    }

    /// Whether a condition of the template holds.
    fn condition(&self, name: &str) -> Result<bool, IntrinsicError> {
        let unknown = || IntrinsicError::UnknownName { name: name.into() };
        self.truth(self.at(&["Conditions", name]).ok_or_else(unknown)?)
    }

    fn truth(&self, node: &Json) -> Result<bool, IntrinsicError> {
        let found = node.as_object().and_then(call_of_condition);
        let Some((function, argument)) = found else {
            return Err(IntrinsicError::Malformed {
                function: "Conditions".into(),
            });
        };
        let several = argument.as_array().map(Vec::as_slice);
        match (function, argument, several) {
            ("Condition", Json::String(name), _) => self.condition(name),
            ("Fn::Equals", _, Some([one, other])) => {
                let text = |node| Ok::<_, IntrinsicError>(self.resolve(node)?.map(|n| as_text(&n)));
                Ok(text(one)? == text(other)?)
            }
            ("Fn::Not", _, Some([one])) => Ok(!self.truth(one)?),
            ("Fn::And", _, Some(all)) => all
                .iter()
                .try_fold(true, |so_far, one| Ok(so_far && self.truth(one)?)),
            ("Fn::Or", _, Some(any)) => any
                .iter()
                .try_fold(false, |so_far, one| Ok(so_far || self.truth(one)?)),
            ("Condition" | "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or", _, _) => {
                Err(IntrinsicError::Malformed {
                    function: function.into(),
                })
            }
            (other, _, _) => Err(IntrinsicError::UnknownFunction {
                function: other.into(),
            }),
        }
    }

    /// What `Ref` comes to: a pseudo parameter, a parameter or a resource.
    fn reference(&self, name: &str) -> Result<Option<Json>, IntrinsicError> {
        let setting = self.setting;
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => setting.account.clone(),
            "AWS::Partition" => setting.partition.clone(),
            "AWS::Region" => setting.region.clone(),
            "AWS::StackName" => setting.stack.clone(),
            "AWS::StackId" => setting.stack_id.clone().unwrap_or_else(|| {
                self.arn("cloudformation", &format!("stack/{}/*", setting.stack))
            }),
            "AWS::URLSuffix" if setting.partition == "aws-cn" => "amazonaws.com.cn".into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            other if self.at(&["Parameters", other]).is_some() => {
                return Ok(Some(self.parameter(other)));
            }
            resource => self.physical_id(resource)?,
        };
        Ok(Some(pseudo.into()))
    }

    /// A parameter's value in this stack, else its default.
    fn parameter(&self, name: &str) -> Json {
        let default = self.at(&["Parameters", name, "Default"]);
        let value = match self.setting.parameters.get(name) {
            Some(value) => value.clone(),
            None => default.map(as_text).unwrap_or_default(),
        };
        let kind = self.at(&["Parameters", name, "Type"]);
        let kind = kind.and_then(Json::as_str).unwrap_or_default();
        if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            value.split(',').map(|part| json!(part.trim())).collect()
        } else {
            value.into()
        }
    }

    /// Replaces each `${...}`; `${!...}` stands for itself.
    fn substitute(&self, text: &str) -> Result<String, IntrinsicError> {
        let malformed = || IntrinsicError::Malformed {
            function: "Fn::Sub".into(),
        };
        let (mut done, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(malformed)?;
            done.push_str(before);
            match (name.strip_prefix('!'), name.split_once('.')) {
                (Some(literal), _) => done.extend(["${", literal, "}"]),
                (None, Some((resource, attribute))) => {
                    done.push_str(&self.attribute(resource, attribute)?);
                }
                (None, None) => {
                    let value = self.reference(name)?.ok_or_else(malformed)?;
                    done.push_str(value.as_str().ok_or_else(malformed)?);
                }
            }
            rest = after;
        }
        done.push_str(rest);
        Ok(done)
    }

    /// What `Fn::GetAtt` comes to.
    fn attribute(&self, resource: &str, attribute: &str) -> Result<String, IntrinsicError> {
        let kind = self.kind(resource)?;
        let id = self.physical_id(resource)?;
        // The id of a queue is its URL.
        let name = id.rsplit('/').next().unwrap_or(&id);
        let partition = &self.setting.partition;
        let account = &self.setting.account;
        Ok(match (kind, attribute) {
            ("AWS::S3::Bucket", "Arn") => format!("arn:{partition}:s3:::{id}"),
            ("AWS::DynamoDB::Table", "Arn") => self.arn("dynamodb", &format!("table/{id}")),
            ("AWS::KMS::Key", "Arn") => self.arn("kms", &format!("key/{id}")),
            ("AWS::SQS::Queue", "Arn") => self.arn("sqs", name),
            ("AWS::SQS::Queue", "QueueName") => name.to_owned(),
            ("AWS::Lambda::Function", "Arn") => self.arn("lambda", &format!("function:{id}")),
            ("AWS::Logs::LogGroup", "Arn") => self.arn("logs", &format!("log-group:{id}:*")),
            ("AWS::Events::Rule", "Arn") => self.arn("events", &format!("rule/{id}")),
            ("AWS::CloudWatch::Alarm", "Arn") => self.arn("cloudwatch", &format!("alarm:{id}")),
            ("AWS::IAM::Role", "Arn") => format!("arn:{partition}:iam::{account}:role/{id}"),
            ("AWS::IAM::ManagedPolicy", "PolicyArn") => id,
            ("AWS::SSM::Parameter", "Value") => {
                let value = self.at(&["Resources", resource, "Properties", "Value"]);
                let value = value.map(|value| self.resolve(value)).transpose()?;
                value
                    .flatten()
                    .map(|value| as_text(&value))
                    .unwrap_or_default()
            }
            _ => {
                return Err(IntrinsicError::UnknownAttribute {
                    resource: resource.into(),
                    attribute: attribute.into(),
                });
            }
        })
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        let (partition, region) = (&self.setting.partition, &self.setting.region);
        let account = &self.setting.account;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// A resource's own id; where the stack does not have it, a pattern that it will match.
    fn physical_id(&self, resource: &str) -> Result<String, IntrinsicError> {
        if let Some(id) = self.setting.resources.get(resource) {
            return Ok(id.clone());
        }
        let kind = self.kind(resource)?;
        let own_name = match kind {
            "AWS::KMS::Key" => return Ok("*".into()),
            "AWS::Lambda::Function" => Some("FunctionName"),
            "AWS::Logs::LogGroup" => Some("LogGroupName"),
            "AWS::KMS::Alias" => Some("AliasName"),
            "AWS::SSM::Parameter" | "AWS::Events::Rule" => Some("Name"),
            "AWS::S3::Bucket" => Some("BucketName"),
            "AWS::DynamoDB::Table" => Some("TableName"),
            "AWS::SQS::Queue" => Some("QueueName"),
            "AWS::IAM::Role" => Some("RoleName"),
            "AWS::CloudWatch::Alarm" => Some("AlarmName"),
            _ => None,
        };
        let property = |name| self.at(&["Resources", resource, "Properties", name]);
        if let Some(name) = own_name.and_then(property) {
            return Ok(self.resolve(name)?.map(|n| as_text(&n)).unwrap_or_default());
        }
        // What CloudFormation makes up. It would shorten a name that grew too long: that of a stack
        // leaves room for all.
        let made_up = format!("{}-{resource}-*", self.setting.stack);
        let (partition, region) = (&self.setting.partition, &self.setting.region);
        let account = &self.setting.account;
        Ok(match kind {
            "AWS::S3::Bucket" => made_up.to_lowercase(),
            "AWS::SQS::Queue" => format!("https://sqs.{region}.*/{account}/{made_up}"),
            "AWS::IAM::ManagedPolicy" => format!("arn:{partition}:iam::{account}:policy/{made_up}"),
            _ => made_up,
        })
    }

    fn kind(&self, resource: &str) -> Result<&'a str, IntrinsicError> {
        self.at(&["Resources", resource, "Type"])
            .and_then(Json::as_str)
            .ok_or_else(|| IntrinsicError::UnknownName {
                name: resource.into(),
            })
    }

    fn at(&self, path: &[&str]) -> Option<&'a Json> {
        path.iter()
            .try_fold(self.template, |node, key| node.get(*key))
    }
}

/// The function that an object calls, if it does.
fn call(fields: &Map<String, Json>) -> Option<(&str, &Json)> {
    let (name, argument) = fields.iter().next().filter(|_| fields.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

/// The same among conditions, where another one can be named.
fn call_of_condition(fields: &Map<String, Json>) -> Option<(&str, &Json)> {
    let (name, argument) = fields.iter().next().filter(|_| fields.len() == 1)?;
    (name == "Condition" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

fn as_text(node: &Json) -> String {
    node.as_str()
        .map_or_else(|| node.to_string(), str::to_owned)
}

/// Why a part of the template could not be worked out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntrinsicError {
    /// The template is no YAML of the kind that is expected.
    #[error("the template cannot be read: {why}")]
    Unreadable {
        /// What is wrong with it.
        why: String,
    },
    /// A function that is not known here.
    #[error("the template uses {function}, and only Ref, {KNOWN} are known here")]
    UnknownFunction {
        /// The function.
        function: String,
    },
    /// A function with arguments that it does not take.
    #[error("the template uses {function} in a way that is not known here")]
    Malformed {
        /// The function.
        function: String,
    },
    /// Neither parameter, resource nor condition.
    #[error("the template has no {name}")]
    UnknownName {
        /// The name.
        name: String,
    },
    /// An attribute that is not known here.
    #[error("the attribute {attribute} of {resource} is not known here")]
    UnknownAttribute {
        /// The resource.
        resource: String,
        /// The attribute.
        attribute: String,
    },
}

#[cfg(test)]
#[path = "intrinsics_tests.rs"]
mod tests;

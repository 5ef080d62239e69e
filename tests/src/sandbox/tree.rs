//! What lives in Parameter Store, as the SDK tells it: what the story is checked against.

use std::collections::BTreeMap;
use std::io;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::DisplayErrorContext;
use aws_sdk_ssm::types::ParameterType;

/// The name, and the path below it, that the story plays in.
pub(crate) const ROOT: &str = "/testyssmbak";

/// One parameter: what a restore has to bring back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) kind: ParameterType,
    pub(crate) value: String,
    pub(crate) description: String,
}

/// Parameters by their names.
pub(crate) type Tree = BTreeMap<String, Parameter>;

impl Parameter {
    /// A String without a description.
    pub(crate) fn plain(value: &str) -> Self {
        Self {
            kind: ParameterType::String,
            value: value.to_owned(),
            description: String::new(),
        }
    }
}

/// Returns everything of the story that lives now.
pub(crate) async fn live(ssm: &Client) -> io::Result<Tree> {
    let mut tree = Tree::new();
    let mut pages = ssm.describe_parameters().into_paginator().send();
    while let Some(page) = pages.next().await {
        for one in page.map_err(aws)?.parameters() {
            let parameter = Parameter {
                kind: one.r#type().cloned().unwrap_or(ParameterType::String),
                value: String::new(),
                description: one.description().unwrap_or_default().to_owned(),
            };
            tree.insert(canonical(one.name()), parameter);
        }
    }
    tree.retain(|name, _| name == ROOT || name.starts_with("/testyssmbak/"));
    let below_root = ssm.get_parameters_by_path().path("/").recursive(true);
    let mut pages = below_root.with_decryption(true).into_paginator().send();
    while let Some(page) = pages.next().await {
        for one in page.map_err(aws)?.parameters() {
            if let Some(parameter) = tree.get_mut(&canonical(one.name())) {
                one.value()
                    .unwrap_or_default()
                    .clone_into(&mut parameter.value);
            }
        }
    }
    Ok(tree)
}

/// Creates a parameter, or updates it.
pub(crate) async fn put(ssm: &Client, name: &str, parameter: &Parameter) -> io::Result<()> {
    let put = ssm.put_parameter().name(name).value(&parameter.value);
    let put = put.r#type(parameter.kind.clone()).overwrite(true);
    let put = put.description(&parameter.description);
    put.send().await.map(drop).map_err(aws)
}

/// Deletes parameters, ten at most; an error when one of them did not exist.
pub(crate) async fn delete(ssm: &Client, names: Vec<String>) -> io::Result<()> {
    let delete = ssm.delete_parameters().set_names(Some(names));
    let answer = delete.send().await.map_err(aws)?;
    if answer.invalid_parameters().is_empty() {
        return Ok(());
    }
    let unknown = answer.invalid_parameters().join(", ");
    Err(io::Error::other(format!(
        "there was no {unknown} to delete"
    )))
}

/// A name at the root is one parameter with and without its slash.
fn canonical(name: Option<&str>) -> String {
    let name = name.unwrap_or_default();
    if name.starts_with('/') {
        name.to_owned()
    } else {
        format!("/{name}")
    }
}

fn aws(error: impl std::error::Error) -> io::Error {
    io::Error::other(DisplayErrorContext(error).to_string())
}

//! From a stack's name to its bucket and table.

use aws_config::SdkConfig;

use crate::aws::{AwsError, ErrorKind, cloudformation};
use crate::stack::{self, StackError, known_hint};
use crate::stack_name::StackName;

/// The path of the parameters that a stack writes so that it can be found.
///
/// The underscore is needed: Parameter Store reserves every name that begins with `ssm`, with or
/// without a slash before it.
pub const PREFIX: &str = "/_ssmbak";

/// Where a stack keeps its backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The stack.
    pub stack: StackName,
    /// The bucket of values and journal.
    pub bucket: String,
    /// The table of the index.
    pub table: String,
    /// How they were found.
    pub through: Through,
}

/// How a stack was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// Its lookup parameters.
    Parameters,
    /// Its outputs.
    Outputs,
}

/// Returns the names of the parameters that tell a stack's bucket and table.
pub fn parameter_names(stack: &StackName) -> [String; 2] {
    ["bucketname", "tablename"].map(|leaf| format!("{PREFIX}/{stack}/{leaf}"))
}

/// Finds bucket and table of `stack`: through its lookup parameters, in one call, else through its
/// outputs.
///
/// Parameters that are missing, refused or not to be read lead on to the outputs; only if these do
/// not tell either is it an error. What is reported is then why the outputs did not tell, except
/// where they may not be read: that the parameters could not be read is the plainer reason.
pub async fn find(sdk: &SdkConfig, stack: &StackName) -> Result<Located, LookupError> {
    let by_parameters = match through_parameters(sdk, stack).await {
        Ok(Some(found)) => return Ok(found),
        Ok(None) => None,
        // Nobody who cannot be reached, or does not know us, answers better a second time.
        Err(error) if is_hopeless(error.kind) => return Err(error.into()),
        Err(error) => Some(error),
    };
    match through_outputs(sdk, stack).await {
        Ok(found) => Ok(found),
        Err(LookupError::Aws(error)) => Err(by_parameters.unwrap_or(error).into()),
        Err(error) => Err(error),
    }
}

fn is_hopeless(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Credentials | ErrorKind::Region | ErrorKind::Clock | ErrorKind::Unreachable => {
            true
        }
        ErrorKind::AccessDenied
        | ErrorKind::Key
        | ErrorKind::KeyGone
        | ErrorKind::Missing
        | ErrorKind::Throttled
        | ErrorKind::Format
        | ErrorKind::Unfinished
        | ErrorKind::Stale
        | ErrorKind::Refused => false,
    }
}

async fn through_parameters(
    sdk: &SdkConfig,
    stack: &StackName,
) -> Result<Option<Located>, AwsError> {
    let names = parameter_names(stack);
    let answer = ssmbak_core::told_client!(aws_sdk_ssm, sdk)
        .get_parameters()
        .set_names(Some(names.to_vec()))
        .send()
        .await
        .map_err(|e| AwsError::new("ssm:GetParameters", e))?;
    let value = |name: &str| {
        answer
            .parameters()
            .iter()
            .find(|one| one.name() == Some(name))
            .and_then(|one| one.value())
            .map(str::to_owned)
    };
    let [bucket, table] = names.map(|name| value(&name));
    Ok(bucket.zip(table).map(|(bucket, table)| Located {
        stack: stack.clone(),
        bucket,
        table,
        through: Through::Parameters,
    }))
}

async fn through_outputs(sdk: &SdkConfig, stack: &StackName) -> Result<Located, LookupError> {
    let Some(found) = stack::find(&cloudformation(sdk), stack.as_str()).await? else {
        return Err(LookupError::UnknownStack {
            stack: stack.to_string(),
            known: stack::known(sdk).await,
        });
    };
    Ok(Located {
        stack: stack.clone(),
        bucket: found.bucket()?.to_owned(),
        table: found.table()?.to_owned(),
        through: Through::Outputs,
    })
}

/// Why bucket and table are not known.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// There is no such stack in this account and region.
    #[error("there is no stack {stack}")]
    UnknownStack {
        /// The name asked for.
        stack: String,
        /// The stacks of this tool that there are, if that could be told.
        known: Vec<String>,
    },
    /// The stack is there but does not tell: it is not finished, or of another tool.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl LookupError {
    /// Returns the way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownStack { stack, known } => known_hint(known).or_else(|| {
                Some(format!(
                    "name one with --stack, check region and account, or make it: ssmbak stack {stack} create"
                ))
            }),
            Self::Stack(error) => error.hint(),
            Self::Aws(error) => error.hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_are_the_stacks_own() {
        let stack: StackName = "prod".parse().unwrap();
        assert_eq!(
            parameter_names(&stack),
            ["/_ssmbak/prod/bucketname", "/_ssmbak/prod/tablename"]
        );
    }

    #[test]
    fn an_unknown_stack_is_told_with_those_that_are_known() {
        let error = LookupError::UnknownStack {
            stack: "prdo".into(),
            known: vec!["prod".into(), "test".into()],
        };
        assert_eq!(error.to_string(), "there is no stack prdo");
        assert_eq!(
            error.hint().unwrap(),
            "the stacks of ssmbak here are: prod, test"
        );
        let error = LookupError::UnknownStack {
            stack: "prdo".into(),
            known: vec![],
        };
        assert!(error.hint().unwrap().contains("ssmbak stack prdo create"));
    }
}

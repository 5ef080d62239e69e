//! People with rights: who calls an emulator that enforces IAM.

use std::io;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Capability, Stack, StackStatus};
use serde_json::{Value, json};

use crate::emulator::{REGION, sdk_config, sdk_config_of};

/// How long a stack that is one user may take.
const CREATION_LIMIT: Duration = Duration::from_secs(20);

/// Somebody with exactly the rights that their credentials carry.
#[derive(Debug, Clone)]
pub struct Person {
    endpoint: String,
    credentials: Credentials,
}

impl Person {
    /// Somebody who holds these credentials: a function's, say.
    pub fn holding(endpoint: &str, credentials: Credentials) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            credentials,
        }
    }

    /// A new IAM user with these managed policies attached and nothing else.
    ///
    /// The user and the access key are a `CloudFormation` stack, as on AWS, made by the emulator's
    /// administrator; `name` names it.
    pub async fn hired(endpoint: &str, name: &str, policies: &[&str]) -> io::Result<Self> {
        let properties = json!({"ManagedPolicyArns": policies});
        Self::hired_with(endpoint, name, properties).await
    }

    /// A new IAM user with exactly these policy documents and nothing else.
    pub async fn hired_under(endpoint: &str, name: &str, documents: &[Value]) -> io::Result<Self> {
        let policies = documents.iter().enumerate().map(|(number, document)| {
            json!({"PolicyName": format!("policy-{number}"), "PolicyDocument": document})
        });
        let properties = json!({"Policies": policies.collect::<Vec<_>>()});
        Self::hired_with(endpoint, name, properties).await
    }

    async fn hired_with(endpoint: &str, name: &str, properties: Value) -> io::Result<Self> {
        let template = json!({
            "Resources": {
                "User": {
                    "Type": "AWS::IAM::User",
                    "Properties": properties,
                },
                "Key": {
                    "Type": "AWS::IAM::AccessKey",
                    "Properties": {"UserName": {"Ref": "User"}},
                },
            },
            "Outputs": {
                "Id": {"Value": {"Ref": "Key"}},
                "Secret": {"Value": {"Fn::GetAtt": ["Key", "SecretAccessKey"]}},
            },
        });
        let stacks = Client::new(&sdk_config(endpoint, "test").await);
        let create = stacks.create_stack().stack_name(name);
        let create = create.template_body(template.to_string());
        let create = create.capabilities(Capability::CapabilityIam);
        create.send().await.map_err(io::Error::other)?;
        let made = created(&stacks, name).await?;
        let output = |key: &str| {
            let found = made.outputs().iter().find(|o| o.output_key() == Some(key));
            let value = found.and_then(|o| o.output_value());
            value.ok_or_else(|| io::Error::other(format!("the stack of {name} tells no {key}")))
        };
        let credentials = Credentials::new(output("Id")?, output("Secret")?, None, None, "person");
        Ok(Self::holding(endpoint, credentials))
    }

    /// The access key, by which the emulator knows this person.
    pub fn access_key(&self) -> &str {
        self.credentials.access_key_id()
    }

    /// The configuration of SDK clients that call as this person.
    pub async fn config(&self) -> SdkConfig {
        sdk_config_of(&self.endpoint, self.credentials.clone()).await
    }

    /// The variables that make a program call as this person.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let held = &self.credentials;
        let mut variables = vec![
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", held.access_key_id().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", held.secret_access_key().to_owned()),
            ("AWS_REGION", REGION.to_owned()),
        ];
        let token = held.session_token();
        variables.extend(token.map(|token| ("AWS_SESSION_TOKEN", token.to_owned())));
        variables
    }
}

/// Waits until a stack is created, and returns it; an error when it fails or takes too long.
pub async fn created(stacks: &Client, name: &str) -> io::Result<Stack> {
    let deadline = Instant::now() + CREATION_LIMIT;
    loop {
        let answer = stacks.describe_stacks().stack_name(name).send().await;
        let mut found = answer.map_err(io::Error::other)?.stacks.unwrap_or_default();
        let stack = found.pop();
        match stack.as_ref().and_then(Stack::stack_status) {
            Some(StackStatus::CreateComplete) => {
                return stack.ok_or_else(|| io::Error::other("no stack"));
            }
            Some(StackStatus::CreateInProgress) if Instant::now() < deadline => {}
            status => {
                let reason = stack.as_ref().and_then(Stack::stack_status_reason);
                return Err(io::Error::other(format!("{name}: {status:?}: {reason:?}")));
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

//! The CloudFormation stack of ssmbak, and the code that deploys it and finds it.
//!
//! Nothing here prints, reads the environment or chooses a region: the caller builds an
//! [`aws_config::SdkConfig`] and hands it in. With a custom endpoint S3 is spoken to path-style.
//!
//! | module | does |
//! |---|---|
//! | [`template`] | the template's text and what identifies it |
//! | [`stack_name`] | the name of a stack, checked once |
//! | [`function_zip`] | reads the function's zip and refuses one that could not run |
//! | [`artifact`] | puts the zip where CloudFormation can fetch it |
//! | [`deploy`] | creates, updates and deletes the stack |
//! | [`check`] | tries the stack's function |
//! | [`stack`] | what a stack is now: status, outputs, resources |
//! | [`event`] | what happens to a stack, and the line that tells it |
//! | [`lookup`] | from a stack's name to its bucket and table |
//! | [`health`] | how a stack does: versions, queues, alarms, and what to do about them |
//! | [`redrive`] | puts messages that were given up back into the queue |
//! | [`policy`] | the template's managed policies as documents |
//! | [`aws`] | a call that AWS did not answer as hoped |

pub mod artifact;
pub mod aws;
mod caller;
pub mod check;
pub mod deploy;
pub mod event;
pub mod function_zip;
pub mod health;
mod intrinsics;
pub mod lookup;
pub mod policy;
pub mod redrive;
pub mod stack;
pub mod stack_name;
pub mod template;

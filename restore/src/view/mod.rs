//! What is shown of parameters and changes: the field names here are part of
//! the command line's contract. They are stable; fields may be added.

mod change;
mod compared;
mod difference;
mod health;
mod metadata;
mod others;
mod parameter;
mod run;
mod setting;

pub(crate) use change::ChangeView;
pub(crate) use compared::ComparedView;
pub(crate) use difference::DifferenceView;
pub(crate) use health::{MessageView, StatusView};
pub(crate) use metadata::MetadataView;
pub(crate) use others::{
    FindingView, ImportView, ResourceView, SeedView, StackChangeView, UnreadableView,
};
pub(crate) use parameter::{ParameterView, RestoreView, value_of};
pub(crate) use run::{RunNameView, RunView};
pub(crate) use setting::SettingView;

#[cfg(test)]
mod tests;

//! The library as far as the commands use it.
#![allow(
    dead_code,
    clippy::unused_async,
    clippy::unused_self,
    clippy::default_constructed_unit_structs,
    clippy::trivially_copy_pass_by_ref,
    clippy::needless_pass_by_value,
    clippy::needless_pass_by_ref_mut,
    reason = "stands in for the library until that is there"
)]

pub(crate) mod store {
    use aws_config::SdkConfig;
    use ssmbak_core::domain::Instant;
    pub(crate) type Clock = fn() -> Instant;
    #[derive(Clone, Debug, Default)]
    pub(crate) struct ConnectOptions {
        pub profile: Option<String>,
        pub region: Option<String>,
        pub endpoint_url: Option<String>,
    }
    pub(crate) async fn connect(_options: &ConnectOptions) -> SdkConfig {
        SdkConfig::builder().build()
    }
    #[derive(Clone, Debug)]
    pub(crate) struct Location {
        pub bucket: String,
        pub table: String,
    }
    #[derive(Clone, Debug)]
    pub(crate) struct Stores;
    impl Stores {
        pub(crate) fn new(_config: &SdkConfig, _location: Location, _clock: Clock) -> Self {
            Self
        }
        pub(crate) async fn check_format(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }
    #[derive(Debug, thiserror::Error)]
    #[error("do that yet")]
    pub(crate) struct StoreError;
    impl StoreError {
        pub(crate) fn hint(&self) -> Option<String> {
            None
        }
    }
}

pub(crate) mod survey {
    use super::store::{StoreError, Stores};
    use ssmbak_core::domain::{Instant, Plan, Target};
    #[derive(Clone, Copy, Debug, Default)]
    pub(crate) struct SurveyOptions {
        pub values_of_unchanged: bool,
    }
    pub(crate) async fn survey(
        _stores: &Stores,
        _target: &Target,
        _at: Instant,
        _options: &SurveyOptions,
    ) -> Result<Plan, StoreError> {
        Err(StoreError)
    }
}

pub(crate) mod restore {
    use super::store::{StoreError, Stores};
    use ssmbak_core::domain::run::Outcome;
    use ssmbak_core::domain::{Name, Plan};
    use std::sync::atomic::AtomicBool;
    #[derive(Clone, Debug)]
    pub(crate) struct Report {
        pub name: Name,
        pub outcome: Outcome,
        pub reason: Option<String>,
        pub written_version: Option<u64>,
    }
    pub(crate) async fn apply(
        _stores: &Stores,
        _plan: &Plan,
        _by: Option<String>,
        _cancel: &AtomicBool,
        _progress: &(dyn Fn(&Report) + Sync),
    ) -> Result<Vec<Report>, StoreError> {
        Err(StoreError)
    }
}

pub(crate) mod history {
    use super::store::{StoreError, Stores};
    use ssmbak_core::domain::{Instant, Record, Target};
    use std::ops::ControlFlow;
    pub(crate) async fn history(
        _stores: &Stores,
        _target: &Target,
        _since: Option<Instant>,
        _until: Option<Instant>,
        _page: &mut (dyn FnMut(Vec<Record>) -> ControlFlow<()> + Send),
    ) -> Result<(), StoreError> {
        Err(StoreError)
    }
}

pub(crate) mod reconcile {
    use super::store::{StoreError, Stores};
    use ssmbak_core::domain::{Name, Path};
    #[derive(Clone, Debug, Default)]
    pub(crate) struct SeedReport {
        pub parameters: usize,
        pub versions: usize,
        pub already: usize,
        pub deletions: usize,
        pub failures: Vec<(Name, String)>,
    }
    pub(crate) async fn seed(
        _stores: &Stores,
        _path: &Path,
        _do_it: bool,
        _progress: &(dyn Fn(&Name, usize) + Sync),
    ) -> Result<SeedReport, StoreError> {
        Err(StoreError)
    }
}

pub(crate) mod infra {
    macro_rules! error {
        ($name:ident) => {
            #[derive(Debug, thiserror::Error)]
            #[error("not yet")]
            pub(crate) struct $name;
            impl $name {
                pub(crate) fn hint(&self) -> Option<String> {
                    None
                }
            }
        };
    }
    pub(crate) mod stack_name {
        error!(StackNameError);
        #[derive(Clone, Debug)]
        pub(crate) struct StackName(String);
        impl std::str::FromStr for StackName {
            type Err = StackNameError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Ok(Self(s.into()))
            }
        }
    }
    pub(crate) mod lookup {
        use super::stack_name::StackName;
        use aws_config::SdkConfig;
        error!(LookupError);
        pub(crate) struct Located {
            pub bucket: String,
            pub table: String,
        }
        pub(crate) async fn find(_sdk: &SdkConfig, _s: &StackName) -> Result<Located, LookupError> {
            Err(LookupError)
        }
    }
    pub(crate) mod template {
        pub(crate) fn template() -> &'static str {
            "\n"
        }
    }
    pub(crate) mod function_zip {
        use std::path::Path;
        error!(FunctionZipError);
        #[derive(Clone, Copy)]
        pub(crate) enum Architecture {
            Arm64,
            X86_64,
        }
        pub(crate) struct FunctionZip;
        impl FunctionZip {
            pub(crate) fn locate(
                _given: Option<&Path>,
                _directory: &Path,
                _architecture: Option<Architecture>,
            ) -> Result<Self, FunctionZipError> {
                Err(FunctionZipError)
            }
        }
    }
    pub(crate) mod event {
        pub(crate) struct StackEvent;
        pub(crate) fn event_line(_event: &StackEvent) -> String {
            String::new()
        }
    }
    pub(crate) mod stack {
        use super::stack_name::StackName;
        use aws_config::SdkConfig;
        error!(StackError);
        pub(crate) struct Stack {
            pub name: String,
            pub status: String,
        }
        impl Stack {
            pub(crate) fn bucket(&self) -> Result<&str, StackError> {
                Err(StackError)
            }
            pub(crate) fn table(&self) -> Result<&str, StackError> {
                Err(StackError)
            }
            pub(crate) fn function(&self) -> Result<&str, StackError> {
                Err(StackError)
            }
            pub(crate) fn region(&self) -> &str {
                &self.name
            }
        }
        pub(crate) struct StackResource {
            pub status: String,
            pub logical_id: String,
            pub physical_id: String,
            pub resource_type: String,
        }
        pub(crate) async fn describe(
            _sdk: &SdkConfig,
            _s: &StackName,
        ) -> Result<Stack, StackError> {
            Err(StackError)
        }
        pub(crate) async fn resources(
            _sdk: &SdkConfig,
            _s: &StackName,
        ) -> Result<Vec<StackResource>, StackError> {
            Err(StackError)
        }
    }
    pub(crate) mod deploy {
        use super::event::StackEvent;
        use super::function_zip::FunctionZip;
        use super::stack::Stack;
        use super::stack_name::StackName;
        use aws_config::SdkConfig;
        error!(DeployError);
        #[derive(Default)]
        pub(crate) struct Pace(bool);
        pub(crate) struct CreateRequest;
        impl CreateRequest {
            pub(crate) fn new(_stack: StackName, _zip: FunctionZip) -> Self {
                Self
            }
        }
        pub(crate) enum RetainedKind {}
        impl RetainedKind {
            pub(crate) fn as_str(&self) -> &'static str {
                ""
            }
        }
        pub(crate) struct Retained {
            pub kind: RetainedKind,
            pub name: String,
        }
        pub(crate) async fn create(
            _sdk: &SdkConfig,
            _request: &CreateRequest,
            _on_event: &mut dyn FnMut(&StackEvent),
        ) -> Result<Stack, DeployError> {
            Err(DeployError)
        }
        pub(crate) async fn delete(
            _sdk: &SdkConfig,
            _name: &StackName,
            _pace: Pace,
            _on_event: &mut dyn FnMut(&StackEvent),
        ) -> Result<Vec<Retained>, DeployError> {
            Err(DeployError)
        }
    }
}

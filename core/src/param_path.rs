//! [`ParamPath`]: the library's front door.

use std::sync::atomic::AtomicBool;

use aws_config::SdkConfig;
use tokio::sync::OnceCell;

use crate::domain::{Instant, Name, Plan, Record, State, Step, Target};
use crate::restore::{Report, apply};
use crate::store::{Clock, Location, StoreError, Stores};
use crate::survey::{SurveyOptions, survey};

/// One parameter, or the parameters under a path, at a point in time.
///
/// Built from a name or path, an instant, recursion, and explicitly the
/// configuration (region, credentials) and the location of the records. The
/// first question of a kind asks AWS; every later one is answered from what it
/// learned, without a call, so that all answers speak of the same moment. For
/// fresh answers build a new one.
///
/// ```no_run
/// use ssmbak_core::domain::{Instant, Target};
/// use ssmbak_core::store::{ConnectOptions, Location, connect};
/// use ssmbak_core::ParamPath;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let region = Some("eu-west-1".to_owned());
/// let config = connect(&ConnectOptions { region, ..Default::default() }).await;
/// let location = Location {
///     bucket: "my-bucket".into(),
///     table: "my-table".into(),
/// };
/// let target = Target::parse("/app/prod/", true)?;
/// let at: Instant = "2026-11-20T10:23:30.999Z".parse()?;
/// let app = ParamPath::new(&config, location, target, at, || chrono::Utc::now().into());
///
/// for name in app.names().await? {
///     println!("{name} existed");
/// }
/// for step in app.preview().await? {
///     println!("{}: {}", step.name, step.action.as_str());
/// }
/// // Does what the preview showed, and nothing else.
/// for report in app.restore().await? {
///     println!("{}: {}", report.name, report.outcome.as_str());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ParamPath {
    stores: Stores,
    target: Target,
    at: Instant,
    plan: OnceCell<Plan>,
    tracked: OnceCell<Vec<Name>>,
}

/// The version of a parameter at the instant, and where its value is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionAt {
    /// The parameter.
    pub name: Name,
    /// Its number, where known.
    pub version: Option<u64>,
    /// When it was written.
    pub modified: Instant,
    /// Its type.
    pub parameter_type: String,
    /// The S3 version id of its value; none where it is the live version, not
    /// on record yet, or lost.
    pub s3_version_id: Option<String>,
}

impl ParamPath {
    /// The parameters of `target` at `at`. Sends nothing.
    pub fn new(
        config: &SdkConfig,
        location: Location,
        target: Target,
        at: Instant,
        clock: Clock,
    ) -> Self {
        Self {
            stores: Stores::new(config, location, clock),
            target,
            at,
            plan: OnceCell::new(),
            tracked: OnceCell::new(),
        }
    }

    /// What was asked about.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The instant.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// The names that existed at the instant, in order.
    pub async fn names(&self) -> Result<Vec<Name>, StoreError> {
        let existed = |s: &&Step| s.state.found().is_some();
        let steps = self.plan().await?.steps.iter();
        Ok(steps.filter(existed).map(|s| s.name.clone()).collect())
    }

    /// Every name on record, whether it existed at the instant or not, and
    /// those deleted since.
    pub async fn tracked_names(&self) -> Result<&[Name], StoreError> {
        let tracked = self.tracked.get_or_try_init(|| async {
            let heads = self.stores.index.heads(&self.target).await?;
            Ok(heads.into_keys().collect())
        });
        tracked.await.map(Vec::as_slice)
    }

    /// The version that one name had; none where it did not exist or nobody
    /// knows.
    ///
    /// ```no_run
    /// # async fn example(app: ssmbak_core::ParamPath) -> Result<(), Box<dyn std::error::Error>> {
    /// use ssmbak_core::domain::Name;
    ///
    /// let name = Name::parse("/app/prod/db")?;
    /// if let Some(version) = app.latest_version(&name).await? {
    ///     println!("version {:?} of {}", version.version, version.modified);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn latest_version(&self, name: &Name) -> Result<Option<VersionAt>, StoreError> {
        let versions = self.versions().await?;
        Ok(versions.into_iter().find(|v| v.name == *name))
    }

    /// The versions that existed at the instant, with the S3 version ids of
    /// their values.
    pub async fn versions(&self) -> Result<Vec<VersionAt>, StoreError> {
        Ok(self
            .plan()
            .await?
            .steps
            .iter()
            .filter_map(version_at)
            .collect())
    }

    /// What a restore would do to each parameter that differs, or whose state
    /// is unknown.
    pub async fn preview(&self) -> Result<Vec<Step>, StoreError> {
        let differs = |s: &&Step| s.action != crate::domain::Action::None;
        let steps = self.plan().await?.steps.iter();
        Ok(steps.filter(differs).cloned().collect())
    }

    /// As [`Self::preview`], for one name; also where it is unchanged.
    pub async fn preview_one(&self, name: &Name) -> Result<Option<Step>, StoreError> {
        let steps = &self.plan().await?.steps;
        Ok(steps.iter().find(|s| s.name == *name).cloned())
    }

    /// The whole plan.
    pub async fn plan(&self) -> Result<&Plan, StoreError> {
        let options = SurveyOptions::default();
        let ask = || async {
            self.stores.check_format().await?;
            survey(&self.stores, &self.target, self.at, &options).await
        };
        self.plan.get_or_try_init(ask).await
    }

    /// Does what [`Self::preview`] shows, refusing each parameter that has
    /// changed since, and reports every outcome.
    pub async fn restore(&self) -> Result<Vec<Report>, StoreError> {
        let plan = self.plan().await?;
        apply(&self.stores, plan, &AtomicBool::new(false), &|_| {}).await
    }

    /// The state-deciding records of one name, oldest first, from `since` to
    /// the instant.
    pub async fn records(&self, name: &Name, since: Instant) -> Result<Vec<Record>, StoreError> {
        self.stores.index.between(name, since, self.at).await
    }
}

fn version_at(step: &Step) -> Option<VersionAt> {
    use crate::domain::state::FoundValue;
    let State::Present(found) = &step.state else {
        return None;
    };
    Some(VersionAt {
        name: step.name.clone(),
        version: found.version,
        modified: found.modified,
        parameter_type: found.attributes.parameter_type.clone(),
        s3_version_id: match &found.value {
            FoundValue::Stored(pointer) => Some(pointer.version_id.clone()),
            FoundValue::Live => {
                let recorded = step.live.as_ref().and_then(|l| l.recorded.as_ref());
                let pointer = recorded.and_then(|r| r.pointer.as_ref());
                pointer.map(|p| p.version_id.clone())
            }
            FoundValue::Retained(_)
            | FoundValue::Given(_)
            | FoundValue::Sealed
            | FoundValue::Lost => None,
        },
    })
}

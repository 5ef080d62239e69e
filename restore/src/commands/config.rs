//! `ssmbak config`: what is set, and by whom.

use ssmbak_core::store::{Identity, ProfileSays, Profiles};

use super::Context;
use crate::args::ConfigArgs;
use crate::config::{Place, Settings, Source, Text};
use crate::error::{CliError, Exit};
use crate::view::SettingView;

/// Shows every setting with its source; asks AWS only with `--check`.
pub(super) async fn run(context: &Context, args: &ConfigArgs) -> Result<Exit, CliError> {
    let settings = context.connection.settings();
    let profile = Profile::read(settings).await;
    let mut rows = rows(context, settings, &profile);
    if args.check {
        // What is set is shown even where the check fails: it is what has to be mended.
        let checked = check(context).await;
        let failed = checked.map(|more| rows.extend(more)).err();
        context.ui.show(&rows)?;
        return failed.map_or(Ok(Exit::Done), Err);
    }
    context.ui.show(&rows)?;
    Ok(Exit::Done)
}

/// The profile that counts, and what it says; nothing where there is none.
struct Profile {
    name: String,
    says: Option<ProfileSays>,
}

impl Profile {
    async fn read(settings: &Settings) -> Self {
        let named = settings.profile.as_ref().map(|set| set.value.as_str());
        match Profiles::read(named).await {
            Ok(profiles) => Self {
                name: profiles.selected().to_owned(),
                says: profiles.get(profiles.selected()),
            },
            Err(_) => Self {
                name: named.unwrap_or("default").to_owned(),
                says: None,
            },
        }
    }

    fn source(&self) -> Source {
        Source::Profile(self.name.clone())
    }
}

fn rows(context: &Context, settings: &Settings, profile: &Profile) -> Vec<SettingView> {
    let of_profile = |key: fn(&ProfileSays) -> &Option<String>| {
        let value = key(profile.says.as_ref()?).clone()?;
        Some(SettingView::new("", Some(value), &profile.source()))
    };
    let row = |name: &'static str, set: &Text| match set {
        Some(set) => SettingView::new(name, Some(set.value.clone()), &set.source),
        None => SettingView::new(name, None, &Source::Default),
    };
    let or_profile = |name: &'static str, set: &Text, key: fn(&ProfileSays) -> &Option<String>| {
        let told = of_profile(key).filter(|_| set.is_none());
        told.map_or_else(
            || row(name, set),
            |told| SettingView {
                setting: name,
                ..told
            },
        )
    };
    let place = settings.place.as_ref();
    let file = SettingView::new(
        "config-file",
        place.map(|place| place.path.display().to_string()),
        &place.map_or(Source::Default, Place::source),
    );
    let looked_up = |name, set: &Text| match set {
        Some(_) => row(name, set),
        None => SettingView::new(name, None, &Source::Lookup),
    };
    let stack = settings.stack_name().to_owned();
    let by = |source: Option<&Source>| source.cloned().unwrap_or(Source::Default);
    vec![
        file,
        row("context", &settings.context),
        match &settings.profile {
            None if profile.says.is_some() => {
                SettingView::new("profile", Some(profile.name.clone()), &Source::Default)
            }
            set => row("profile", set),
        },
        or_profile("region", &settings.region, |says| &says.region),
        or_profile("endpoint-url", &settings.endpoint_url, |says| {
            &says.endpoint_url
        }),
        credentials(context, settings, profile),
        row("account", &settings.account),
        SettingView::new(
            "stack",
            Some(stack),
            &by(settings.stack.as_ref().map(|s| &s.source)),
        ),
        looked_up("bucket", &settings.bucket),
        looked_up("table", &settings.table),
        SettingView::new(
            "output",
            Some(settings.format().to_string()),
            &by(settings.output.as_ref().map(|s| &s.source)),
        ),
        SettingView::new(
            "colour",
            Some(
                if settings.no_color.is_some() {
                    "no"
                } else {
                    "on a terminal"
                }
                .into(),
            ),
            &by(settings.no_color.as_ref()),
        ),
    ]
}

/// Of what kind the credentials are, as far as it can be told without using them.
fn credentials(context: &Context, settings: &Settings, profile: &Profile) -> SettingView {
    let named = settings
        .profile
        .as_ref()
        .is_some_and(crate::config::Set::is_flag);
    let kind = profile.says.as_ref().and_then(|says| says.credentials);
    let of_environment = context.connection.has_credentials() && !(named && kind.is_some());
    let (value, source) = match kind {
        _ if of_environment => (Some("keys"), Source::Variable("AWS_ACCESS_KEY_ID")),
        Some(kind) => (Some(kind), profile.source()),
        None => (None, Source::Default),
    };
    SettingView::new("credentials", value.map(str::to_owned), &source)
}

/// Asks who calls, and where the records are.
async fn check(context: &Context) -> Result<Vec<SettingView>, CliError> {
    let connection = &context.connection;
    let config = connection.config().await?;
    let caller = Identity::new(&config).caller().await?;
    let place = connection.place(&config).await?;
    let row = |name, value: String| SettingView::told(name, value);
    Ok(vec![
        row("caller-account", caller.account),
        row("caller-arn", caller.arn),
        row("found-bucket", place.bucket),
        row("found-table", place.table),
    ])
}

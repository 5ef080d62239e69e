//! The AWS configuration files, as far as they tell what is set.

use std::borrow::Cow;

use aws_config::profile::{Profile, ProfileSet, load};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

/// What decides where a profile's credentials come from, the first that it has, and how that is
/// called.
const SOURCES: [(&str, &str); 8] = [
    ("role_arn", "an assumed role"),
    ("sso_session", "single sign-on"),
    ("sso_start_url", "single sign-on"),
    ("web_identity_token_file", "a web identity"),
    ("login_session", "aws login"),
    ("credential_process", "credential_process"),
    ("credential_source", "another source"),
    ("aws_access_key_id", "keys in the AWS files"),
];

/// The AWS configuration files of this machine.
#[derive(Clone, Debug)]
pub struct Profiles {
    set: ProfileSet,
}

/// What a profile says; never a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileSays {
    /// Its region.
    pub region: Option<String>,
    /// Its endpoint in place of AWS's own.
    pub endpoint_url: Option<String>,
    /// Where its credentials come from; none where it does not tell.
    pub credentials: Option<&'static str>,
    /// Whether it asks for a second factor, which the SDK does not send.
    pub second_factor: bool,
}

impl Profiles {
    /// Reads the files; `named` is the profile that counts, else the one that `AWS_PROFILE` names.
    ///
    /// # Errors
    /// They cannot be read or understood: what is wrong with which. The text holds no key.
    pub async fn read(named: Option<&str>) -> Result<Self, String> {
        let named = named.map(|name| Cow::Owned(name.to_owned()));
        let set = load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), named).await;
        set.map(|set| Self { set })
            .map_err(|error| super::trouble::chain(&error))
    }

    /// What a profile says; none where there is no such profile.
    pub fn get(&self, name: &str) -> Option<ProfileSays> {
        self.set.get_profile(name).map(says)
    }

    /// The name of the profile that counts.
    pub fn selected(&self) -> &str {
        self.set.selected_profile()
    }

    /// The names of all profiles, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.set.profiles().collect();
        names.sort_unstable();
        names
    }
}

fn says(profile: &Profile) -> ProfileSays {
    let text = |key: &str| profile.get(key).map(str::to_owned);
    let has = |key: &&(&str, &str)| profile.get(key.0).is_some();
    ProfileSays {
        region: text("region"),
        endpoint_url: text("endpoint_url"),
        second_factor: profile.get("mfa_serial").is_some(),
        credentials: SOURCES.iter().find(has).map(|(_, called)| *called),
    }
}

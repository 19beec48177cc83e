//! Which AWS profile is in use, by the shared files, and what to do when it gives no credentials.

use crate::files;
use crate::resource::error::{Error, NoCredentials};
use aws_config::profile::{Profile, ProfileSet, load};
use aws_types::os_shim_internal::{Env, Fs};
use std::borrow::Cow;
use std::path::PathBuf;

/// A profile that is asked for and is in none of the shared files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingProfile {
    /// Its name.
    pub name: String,
    /// Whether `AWS_PROFILE` names it, and not the stack file.
    pub by_variable: bool,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// The profiles there are, in order.
    pub known: Vec<String>,
}

impl MissingProfile {
    /// The error, with `set_by` as what names the profile: `AWS_PROFILE`, say.
    pub fn error(&self, set_by: &str) -> Error {
        let file = |path: &PathBuf| match path.exists() {
            true => path.display().to_string(),
            false => format!("{} (does not exist)", path.display()),
        };
        let files: Vec<String> = self.files.iter().map(file).collect();
        let name = &self.name;
        let hint = match self.known.as_slice() {
            [] => format!(
                "Create it with `aws configure sso --profile {name}` or `aws configure --profile \
                 {name}`, or unset it to use keys of the environment."
            ),
            known => format!("The profiles there are: {}.", known.join(", ")),
        };
        Error::Credentials {
            message: format!(
                "no AWS profile {name:?} in {} (set by {set_by})",
                files.join(" or ")
            ),
            hint,
        }
    }
}

/// What the shared files say of the profile in use.
#[derive(Debug)]
pub(super) struct Profiles {
    set: ProfileSet,
    /// Whether the stack file or `AWS_PROFILE` asks for it; else it is the one called `default`.
    asked: bool,
}

/// Why the profile cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    Missing(MissingProfile),
    Unreadable(Error),
}

/// Reads the shared files; none where they do not matter: keys of the environment win over
/// `AWS_PROFILE`, and cannot be read.
pub(super) async fn profiles(named: Option<&str>) -> Result<Option<Profiles>, Unusable> {
    for path in files_read() {
        match files::read(&path, files::LARGEST_SETTINGS) {
            Ok(_) | Err(files::Unreadable::Missing | files::Unreadable::Io(_)) => {}
            // The SDK would read it to its end, which may never come.
            Err(why) => {
                return Err(Unusable::Unreadable(Error::Credentials {
                    message: format!("the AWS configuration is not read: {}", why.describe(&path)),
                    hint: format!("Correct {}.", join_paths(&files_read())),
                }));
            }
        }
    }
    let by_variable = variable("AWS_PROFILE");
    let asked = named.is_some() || by_variable.is_some();
    let needed = named.is_some() || variable("AWS_ACCESS_KEY_ID").is_none();
    let selected = named.map(|name| Cow::Owned(name.to_owned()));
    #[expect(deprecated, reason = "the loader takes no other type")]
    let usual = aws_config::profile::profile_file::ProfileFiles::default();
    let set = match load(&Fs::real(), &Env::real(), &usual, selected).await {
        Ok(set) => set,
        Err(_) if !needed => return Ok(None),
        Err(error) => {
            return Err(Unusable::Unreadable(Error::Credentials {
                message: format!(
                    "the AWS configuration could not be read: {}",
                    crate::resource::error::chain(&error)
                ),
                hint: format!("Correct {}.", join_paths(&files_read())),
            }));
        }
    };
    let name = set.selected_profile().to_owned();
    if asked && needed && !name.is_empty() && set.get_profile(&name).is_none() {
        let mut known: Vec<String> = set.profiles().map(str::to_owned).collect();
        known.sort();
        return Err(Unusable::Missing(MissingProfile {
            name,
            by_variable: named.is_none(),
            files: files_read(),
            known,
        }));
    }
    Ok(Some(Profiles { set, asked }))
}

/// The shared files, as they are looked for.
fn files_read() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let home = home.unwrap_or_else(|| PathBuf::from("~")).join(".aws");
    let path = |name: &str, usual: &str| {
        std::env::var_os(name).map_or_else(|| home.join(usual), PathBuf::from)
    };
    vec![
        path("AWS_CONFIG_FILE", "config"),
        path("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ]
}

fn join_paths(files: &[PathBuf]) -> String {
    let files: Vec<String> = files.iter().map(|it| it.display().to_string()).collect();
    files.join(" or ")
}

/// A variable of the environment; none where it is empty.
pub(super) fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

/// Where a profile's credentials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Sso,
    Login,
    Process,
    WebIdentity,
    Keys,
    /// `credential_source`.
    Machine,
    Nothing,
}

impl Profiles {
    /// A setting of the profile.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.set.get(key)
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.set.selected_profile()
    }

    /// What explains a failure, for the time when one comes.
    pub(super) fn about(&self) -> About {
        let name = self.set.selected_profile().to_owned();
        let mut profile = self.set.get_profile(&name);
        let mut about = About {
            name,
            asked: self.asked,
            ..About::default()
        };
        // As many steps as there are profiles: the SDK reports a cycle.
        for _ in self.set.profiles() {
            let Some(at) = profile else { break };
            about.mfa |= at.get("mfa_serial").is_some();
            about.base = at.name().to_owned();
            about.source = Some(source(at));
            match at.get("source_profile") {
                Some(next) if at.get("role_arn").is_some() && next != at.name() => {
                    profile = self.set.get_profile(next);
                }
                _ => break,
            }
        }
        about
    }
}

fn source(profile: &Profile) -> Source {
    let has = |key: &str| profile.get(key).is_some();
    if has("web_identity_token_file") {
        Source::WebIdentity
    } else if has("credential_source") {
        Source::Machine
    } else if has("sso_session") || has("sso_start_url") {
        Source::Sso
    } else if has("credential_process") {
        Source::Process
    } else if has("login_session") {
        Source::Login
    } else if has("aws_access_key_id") {
        Source::Keys
    } else {
        Source::Nothing
    }
}

/// What is known of the profile in use, to explain why it gives no credentials.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    name: String,
    asked: bool,
    /// A profile on the way to its keys names an MFA device.
    mfa: bool,
    /// The profile that has the first keys: its own, or that of `source_profile`.
    base: String,
    source: Option<Source>,
}

/// A failure of the SDK's provider, taken apart.
pub(super) struct Cause<'a> {
    /// The messages of the error and its causes, outermost first.
    pub(super) texts: &'a [String],
    /// What STS returned, where it was asked for the role's credentials.
    pub(super) refused: Option<&'a Error>,
}

impl About {
    /// Explains a failure of the SDK's provider.
    pub(super) fn explain(&self, cause: &Cause<'_>) -> NoCredentials {
        let all = cause.texts.join(": ");
        let last = cause.texts.last().cloned().unwrap_or_default();
        if let Some(error) = cause.refused {
            return self.refused(error);
        }
        let (name, base) = (&self.name, &self.base);
        let again = "then run the command again";
        let offline = all.contains("dispatch failure") || all.contains("timeout");
        let said = |message: String, hint: String| NoCredentials { message, hint };
        match self.source {
            Some(Source::Sso | Source::Login) if offline => said(
                format!("AWS profile {name:?} could not be signed in: {all}"),
                format!("Check the network and the proxy (HTTPS_PROXY), {again}."),
            ),
            Some(Source::Sso) if all.contains("ForbiddenException") => said(
                format!("AWS profile {base:?} may not use its role: {all}"),
                format!("Check sso_account_id and sso_role_name of the profile, {again}."),
            ),
            Some(Source::Sso) if all.contains("token") || all.contains("UnauthorizedException") => {
                let message = match last.contains("expired") || all.contains("Unauthorized") {
                    true => format!("the SSO session of AWS profile {base:?} has expired"),
                    false => format!("AWS profile {base:?} is not signed in to SSO: {last}"),
                };
                said(
                    message,
                    format!("Run `aws sso login --profile {base}`, {again}."),
                )
            }
            Some(Source::Login) => said(
                format!("AWS profile {base:?} is not signed in: {last}"),
                format!("Run `aws login --profile {base}`, {again}."),
            ),
            Some(Source::Process) => said(
                format!(
                    "the credential_process of AWS profile {base:?} failed: {}",
                    process_said(&last)
                ),
                format!(
                    "Do as it says, or correct it in {}, {again}.",
                    join_paths(&files_read())
                ),
            ),
            Some(source) if self.asked || source != Source::Nothing => {
                let message = match all.contains("was not enabled") {
                    true => format!("AWS profile {name:?} has no credentials"),
                    false => format!("AWS profile {name:?} gave no credentials: {last}"),
                };
                said(
                    message,
                    format!(
                        "Correct the profile in {}, {again}.",
                        join_paths(&files_read())
                    ),
                )
            }
            _ => said(
                format!(
                    "no AWS credentials were found: not in the environment, and no profile \
                     \"default\" in {}, nor from the machine or container",
                    join_paths(&files_read())
                ),
                "Set AWS_PROFILE or the environment keys, or add --local to use the local cloud."
                    .to_owned(),
            ),
        }
    }

    /// STS refused the role.
    fn refused(&self, error: &Error) -> NoCredentials {
        let denied = error.is_denied();
        let message = match self.source {
            Some(_) if !self.base.is_empty() => {
                format!(
                    "AWS profile {:?} could not assume its role: {error}",
                    self.name
                )
            }
            _ => format!("the role could not be assumed: {error}"),
        };
        let name = &self.name;
        if self.mfa && denied {
            return NoCredentials {
                message: format!(
                    "{message}. The profile names an MFA device (mfa_serial), and stackctl does \
                     not ask for a code"
                ),
                hint: format!(
                    "Sign in outside: eval \"$(aws configure export-credentials --profile {name} \
                     --format env)\"; then run the command without the profile."
                ),
            };
        }
        NoCredentials {
            message,
            hint: error.hint().unwrap_or_else(|| {
                "Check the role's trust policy and the credentials that assume it.".to_owned()
            }),
        }
    }
}

/// What a `credential_process` wrote, out of the SDK's sentence.
fn process_said(text: &str) -> String {
    let text = text
        .split_once("external process exited with code ")
        .map_or(text, |(_, rest)| rest);
    let text = text.replacen(". Stderr: ", ": ", 1);
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(source: Source) -> About {
        About {
            name: "dev".to_owned(),
            base: "dev".to_owned(),
            asked: true,
            mfa: false,
            source: Some(source),
        }
    }

    fn explain(about: &About, texts: &[&str]) -> (String, String) {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let found = about.explain(&Cause {
            texts: &texts,
            refused: None,
        });
        (found.message, found.hint)
    }

    #[test]
    fn an_sso_profile_is_signed_in() {
        let sso = about(Source::Sso);
        let outer = "an error occurred while loading credentials";
        let (message, hint) = explain(&sso, &[outer, "failed to load the cached SSO token"]);
        assert!(
            message.contains("\"dev\" is not signed in to SSO"),
            "{message}"
        );
        assert!(hint.contains("aws sso login --profile dev"), "{hint}");
        let expired = "the SSO token has expired and cannot be refreshed";
        let (message, hint) = explain(&sso, &[outer, expired]);
        assert_eq!(
            message,
            "the SSO session of AWS profile \"dev\" has expired"
        );
        assert!(hint.contains("aws sso login --profile dev"), "{hint}");
        let (_, hint) = explain(&sso, &[outer, "dispatch failure", "dns error"]);
        assert!(hint.contains("Check the network"), "{hint}");
    }

    #[test]
    fn a_process_is_quoted() {
        let said = "Error retrieving credentials: external process exited with code exit \
                    status: 3. Stderr: please log in to vault\n";
        let (message, _) = explain(&about(Source::Process), &["x", said]);
        assert_eq!(
            message,
            "the credential_process of AWS profile \"dev\" failed: exit status: 3: please log in to vault"
        );
    }
}

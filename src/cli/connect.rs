//! Which Semaphore: flags, then the environment, then the official CLI's file.

use super::args::Connection;
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::settings::{Settings, read_text};
use crate::secret::Secret;
use crate::semaphore::{ConfigError, Context, Endpoint, HttpOptions, Limits, Pieces, Timeouts};

/// The endpoint that was asked for; its token is known to the redactor from now on.
pub(super) fn endpoint(around: &Surroundings, flags: &Connection) -> Result<Endpoint, Failing> {
    let environment = &around.environment;
    let token = match &flags.token_file {
        Some(path) => match read_text(path) {
            Ok(Some(text)) => Some(Secret::new(text.trim())),
            Ok(None) => {
                return Err(Failing::words(
                    Exit::Usage,
                    format!("there is no file `{}`", path.display()),
                ));
            }
            Err(mistake) => return Err(Failing::mistake(Exit::Usage, *mistake)),
        },
        None => environment.api_token(),
    };
    let url = flags
        .url
        .clone()
        .or_else(|| environment.organization_url().map(str::to_owned));
    let context = if flags.context.is_some() || url.is_none() || token.is_none() {
        context(around, flags.context.as_deref())?
    } else {
        None
    };
    let pieces = match context {
        // A context that was asked for by name counts for both parts.
        Some(context) if flags.context.is_some() => Pieces {
            url: None,
            token: None,
            context: Some(context),
        },
        context => Pieces {
            url,
            token,
            context,
        },
    };
    let endpoint = Endpoint::from_pieces(pieces)?;
    around.redactor.learn(endpoint.token.expose());
    Ok(endpoint)
}

fn context(around: &Surroundings, name: Option<&str>) -> Result<Option<Context>, Failing> {
    let text = match around.environment.sem_yaml() {
        Some(path) => {
            read_text(&path).map_err(|mistake| Failing::mistake(Exit::Usage, *mistake))?
        }
        None => None,
    };
    match (text, name) {
        (None, None) => Ok(None),
        (text, name) => match crate::semaphore::contexts::find(&text.unwrap_or_default(), name) {
            Ok(context) => Ok(Some(context)),
            // Without a name the file is only the last of three ways.
            Err(crate::semaphore::contexts::ContextsError::NoneActive) if name.is_none() => {
                Ok(None)
            }
            Err(error) => Err(ConfigError::from(error).into()),
        },
    }
}

/// How the client speaks.
pub(super) fn http_options(settings: &Settings) -> HttpOptions {
    HttpOptions {
        timeouts: Timeouts {
            connect: settings.http.connect_timeout,
            idle: settings.http.idle_timeout,
            total: settings.http.total_timeout,
        },
        ca_file: settings.http.ca_file.clone(),
    }
}

/// How much the client takes.
pub(super) fn client_limits(settings: &Settings) -> Limits {
    let small = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Limits {
        total_timeout: settings.http.total_timeout,
        json_bytes_max: settings.limits.json_bytes,
        header_bytes_max: small(settings.limits.header_bytes),
        pages_max: u32::try_from(settings.limits.pages).unwrap_or(u32::MAX),
        ..Limits::default()
    }
}

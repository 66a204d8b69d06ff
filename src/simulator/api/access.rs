//! Who asks, and what they may do.

use crate::simulator::acts::Origin;
use crate::simulator::http::{Reply, Request};
use crate::simulator::scenario::{Role, Token};
use crate::simulator::state::State;

use super::answers::{bare, not_found};

/// What a request needs to be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// Look at a project.
    View,
    /// Run, rerun, promote.
    Run,
    /// Stop.
    Stop,
    /// Look at artifacts.
    Artifacts,
}

/// The user behind a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    role: Role,
    pub(super) user: String,
}

impl Caller {
    /// Whether the role allows it.
    pub(super) fn may(&self, permission: Permission) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Reader => permission == Permission::View,
            Role::Nobody => false,
        }
    }

    /// The caller as the one who did something.
    pub(super) fn origin(&self) -> Origin {
        Origin::Api {
            user: self.user.clone(),
        }
    }

    /// Whether the role allows it in this project: projects of other organizations are not there.
    pub(super) fn may_in(&self, state: &State, project: usize, permission: Permission) -> bool {
        let foreign = state.project(project).is_none_or(|p| p.foreign);
        !foreign && self.may(permission)
    }
}

const OUTDATED: &str = "{\"message\":\"Call rejected because the client is outdated. To continue, upgrade Semaphore CLI with 'curl https://storage.googleapis.com/sem-cli-releases/get.sh | bash'.\"}";

/// What stands before all servers: the organization, forbidden headers, old clients.
pub(super) fn gate(state: &State, request: &Request) -> Result<(), Reply> {
    let known_host = match request.get("host").map(host_name) {
        None => true,
        Some(host) => {
            is_loopback(host) || host.eq_ignore_ascii_case(&state.scenario.organization.host)
        }
    };
    let forbidden = request
        .headers
        .iter()
        .any(|(name, _)| name.to_ascii_lowercase().starts_with("x-semaphore"));
    if !known_host || forbidden {
        return Err(bare(404, "Not Found"));
    }
    if request.get("user-agent").is_some_and(is_outdated) {
        return Err(bare(400, OUTDATED));
    }
    Ok(())
}

/// The user of the API token.
pub(super) fn caller(state: &State, request: &Request) -> Result<Caller, Reply> {
    let token = request.get("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        ["Token", "Bearer"].contains(&scheme).then_some(token)
    });
    let known = token.and_then(|token| {
        let all: &[Token] = &state.scenario.tokens;
        all.iter().find(|t| t.token == token)
    });
    known.map_or_else(
        || Err(bare(401, "Unauthorized")),
        |found| {
            Ok(Caller {
                role: found.role,
                user: found.user.clone(),
            })
        },
    )
}

/// Checks a permission where a refusal looks like nothing there.
pub(super) fn need(
    caller: &Caller,
    state: &State,
    project: usize,
    permission: Permission,
) -> Result<(), Reply> {
    if caller.may_in(state, project, permission) {
        Ok(())
    } else {
        Err(not_found())
    }
}

/// The host of a request without its port.
pub(super) fn host_name(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

fn is_loopback(host: &str) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

/// `SemaphoreCLI/vX.Y.Z (…)` below 0.30.0.
fn is_outdated(agent: &str) -> bool {
    let Some(version) = agent.strip_prefix("SemaphoreCLI/v") else {
        return false;
    };
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .map(|n| n.parse::<u64>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (major, minor) < (0, 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_clients_are_known_by_their_version() {
        assert!(is_outdated("SemaphoreCLI/v0.20.0 (x)"));
        assert!(is_outdated("SemaphoreCLI/v0.29"));
        assert!(!is_outdated("SemaphoreCLI/v0.30.0 (x)"));
        assert!(!is_outdated("SemaphoreCLI/v1.2.0"));
        assert!(!is_outdated("runner/0.1.0 (SemaphoreCI v2.0 Client)"));
    }

    #[test]
    fn ports_do_not_belong_to_the_name() {
        assert_eq!(host_name("127.0.0.1:4080"), "127.0.0.1");
        assert_eq!(host_name("[::1]:80"), "[::1]");
    }
}

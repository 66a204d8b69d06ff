//! `runner apply`: checks a playbook, then runs it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::args::{Apply, Inputs, Speed};
use super::check::{limits, source};
use super::checkout;
use super::connect::{endpoint, http_options};
use super::execute::{Execution, Line, Worked, budget, conclude, lock};
use super::exit::Exit;
use super::failing::Failing;
use super::join::{self, Wanted};
use super::main::Surroundings;
use super::playbooks::{files, texts};
use super::render;
use super::runs::{store, tidy};
use super::settings::{Settings, read_text};
use super::simulate::scenario;
use crate::clock::Clock;
use crate::diagnostic::{Diagnostics, Source};
use crate::drivers::{InProcessTransport, InProcessWeb, run_local, run_virtual};
use crate::effects::{ReqwestWeb, Web};
use crate::engine::RunInfo;
use crate::plan::{self, BoundInputs, GivenInputs, Limits, Plan, read_inputs_file};
use crate::playbook::Files;
use crate::secret::Secret;
use crate::semaphore::{Endpoint, HttpTransport, Origin};
use crate::simulator::{Approval, InProcess, Scenario, Server, Simulator};
use crate::store::{InboxMessage, RunHeader, SecretOrigin, SqliteStore, Store as _, StoredInput};

/// The key of a run's settings that says of which step alone it is.
pub(super) const ONLY: &str = "only";
/// The key of a run's settings that says which Semaphore it is on.
pub(super) const ORIGIN: &str = "origin";

/// Checks, then runs.
pub(super) fn apply(around: &Surroundings, args: &Apply) -> Result<Exit, Failing> {
    if args.dry_run {
        return super::plan::dry_run(around, args);
    }
    let settings = around.settings(Some(&args.playbook))?;
    let limits = limits(&settings);
    let plan = checked(around, &args.playbook, &limits)?;
    let plan = Arc::new(narrowed(plan, args.only.as_deref())?);
    let bound = bound(around, &plan, &args.inputs, &limits)?;
    for text in plan::secret_texts(&plan, &bound) {
        around.redactor.learn(&text);
    }
    // Where the run goes is known before anything is written down.
    let semaphore = match &args.simulate {
        Some(name) => Semaphore::Simulated(Box::new(scenario(name)?)),
        None => Semaphore::Real(endpoint(around, &args.connection)?),
    };
    let store = store(around, &settings)?;
    if let Some(id) = &args.run_id {
        let wanted = Wanted {
            id,
            plan: &plan,
            inputs: &bound,
            simulated: semaphore.is_simulated(),
        };
        if let Some(exit) = join::join(around, args, &settings, &wanted)? {
            return Ok(exit);
        }
    }
    let id = match &args.run_id {
        Some(id) => id.clone(),
        None => made_id(&plan.name)?,
    };
    let guard = lock(around, &store, &id)?;
    let files_dir = files_dir(args, &store, &id)?;
    let info = info(around, args, (&settings, &id))?;
    store.create_run(&header(
        (&plan, &bound),
        &info,
        (&settings, args),
        (&files_dir, &semaphore),
    ))?;
    if !around.global.quiet {
        around.output.talk(&format!("run {id}"));
    }
    let store = Arc::new(store);
    let execution = Execution {
        around,
        settings: &settings,
        results: &args.results,
        store: Arc::clone(&store) as _,
        plan,
        inputs: bound,
        info,
        past: Vec::new(),
        opening: Vec::new(),
        later: Vec::new(),
        files_dir,
        park_after: args.park,
    };
    let worked = match semaphore {
        Semaphore::Real(endpoint) => real(execution, endpoint)?,
        Semaphore::Simulated(scenario) => simulated(execution, *scenario, args)?,
    };
    let exit = conclude(around, &args.results, worked);
    // While the lock of this run is held, so that it stays whatever the settings say.
    tidy(around, &settings, &*store);
    drop(guard);
    exit
}

enum Semaphore {
    Real(Endpoint),
    Simulated(Box<Scenario>),
}

impl Semaphore {
    fn is_simulated(&self) -> bool {
        matches!(self, Self::Simulated(_))
    }
}

/// A run against a real Semaphore.
pub(super) fn real(execution: Execution<'_>, endpoint: Endpoint) -> Result<Worked, Failing> {
    let origin = endpoint.origin.clone();
    let web = (other_servers(execution.settings), endpoint.token.clone());
    let transport = HttpTransport::new(endpoint, http_options(execution.settings));
    Ok(run_local(async move {
        execution
            .work(Line {
                transport: Arc::new(transport),
                origin,
                web,
                clock: Clock::real(),
            })
            .await
    })?)
}

/// The way to other servers than Semaphore, over the network.
fn other_servers(settings: &Settings) -> Arc<dyn Web> {
    Arc::new(ReqwestWeb::new(http_options(settings)))
}

/// A run against the embedded simulator: over loopback HTTP, or in virtual time.
fn simulated(
    execution: Execution<'_>,
    scenario: Scenario,
    args: &Apply,
) -> Result<Worked, Failing> {
    let token = Secret::new(scenario.admin_token().unwrap_or_default());
    execution.around.redactor.learn(token.expose());
    let steps = execution.plan.steps.iter();
    let ids: Vec<&str> = steps.map(|step| step.id.as_str()).collect();
    for (step, answer) in &scenario.approvals {
        // Whoever answers to everything is not heard by a playbook that asks nothing.
        let outermost = step.split(['/', '[']).next().unwrap_or(step);
        if !ids.contains(&outermost) {
            continue;
        }
        let message = InboxMessage::Answer {
            step: step.clone(),
            approved: *answer == Approval::Approve,
            by: "the scenario".to_owned(),
        };
        execution.store.post(&execution.info.id, &message)?;
    }
    match args.speed.unwrap_or_default() {
        Speed::Max => Ok(run_virtual(async move {
            let clock = Clock::paused(execution.info.started_at);
            let host = scenario.organization.host.clone();
            let simulator = Simulator::new(scenario, args.seed.unwrap_or(0), clock.now());
            let connection = InProcess::new(simulator, clock);
            let web: Arc<dyn Web> = Arc::new(InProcessWeb::new(connection.clone()));
            let web = (web, token.clone());
            let transport = Arc::new(InProcessTransport::new(connection, token, host.clone()));
            let origin = Origin::parse(&format!("https://{host}"))?;
            Ok::<_, Failing>(
                execution
                    .work(Line {
                        transport,
                        origin,
                        web,
                        clock,
                    })
                    .await,
            )
        })??),
        Speed::Times(speed) => run_local(async move {
            let clock = Clock::scaled(speed);
            let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let running = Server::start(scenario, clock, anywhere).await?;
            // Nothing leaves this machine in a rehearsal: the scenario plays the other servers too.
            let world = running.world();
            let web: Arc<dyn Web> = Arc::new(InProcessWeb::new(InProcess { world, clock }));
            let web = (web, token.clone());
            let endpoint = Endpoint::new(&running.url(), token)?;
            let origin = endpoint.origin.clone();
            let transport = Arc::new(HttpTransport::new(
                endpoint,
                http_options(execution.settings),
            ));
            let worked = execution
                .work(Line {
                    transport,
                    origin,
                    web,
                    clock,
                })
                .await;
            running.shutdown().await;
            Ok(worked)
        })?,
    }
}

/// The plan of a playbook; its warnings are told, its errors refuse it.
pub(super) fn checked(
    around: &Surroundings,
    path: &Path,
    limits: &Limits,
) -> Result<Plan, Failing> {
    let source = source(path, limits)?;
    let files = files(around, (&source, path), limits);
    let beside = |named: &_| checkout::around(path, named, limits);
    accepted(around, plan::check_beside(&source, &files, limits, &beside))
}

/// The same for a text that was read already.
pub(super) fn planned(
    around: &Surroundings,
    (source, files): (&Arc<Source>, &dyn Files),
    limits: &Limits,
) -> Result<Plan, Failing> {
    accepted(around, plan::check_with(source, files, limits))
}

fn accepted(
    around: &Surroundings,
    (plan, diagnostics): (Option<Plan>, Diagnostics),
) -> Result<Plan, Failing> {
    match plan {
        Some(plan) if !diagnostics.has_errors() => {
            if !diagnostics.is_empty() {
                around.say(&render::human(
                    &diagnostics,
                    around.width(),
                    around.output.err_colour(),
                ));
            }
            Ok(plan)
        }
        Some(_) | None => Err(Failing::mistakes(Exit::Invalid, diagnostics)),
    }
}

/// The part of a plan that is wanted.
pub(super) fn narrowed(plan: Plan, only: Option<&str>) -> Result<Plan, Failing> {
    let Some(step) = only else { return Ok(plan) };
    plan::only(&plan, step)
        .map_err(|error| Failing::words(Exit::Usage, error.to_string()).hint(error.hint()))
}

/// The part of a plan that a run was made with.
pub(super) fn narrowed_as(header: &RunHeader, plan: Plan) -> Result<Plan, Failing> {
    let only = header.settings.get(ONLY);
    narrowed(plan, only.and_then(serde_json::Value::as_str))
}

/// The values of the inputs, all mistakes at once.
pub(super) fn bound(
    around: &Surroundings,
    plan: &Plan,
    given: &Inputs,
    limits: &Limits,
) -> Result<BoundInputs, Failing> {
    let texts: Vec<(String, String)> = given
        .input
        .iter()
        .map(|input| (input.name.clone(), input.value.clone()))
        .collect();
    let file = match &given.file {
        None => None,
        Some(path) => Some(inputs_file(path, limits)?),
    };
    let env = |name: &str| around.environment.get(name).map(str::to_owned);
    let given = GivenInputs {
        texts: &texts,
        file: file.as_ref(),
        env: &env,
    };
    let (bound, mistakes) = plan::bind(plan, &given);
    bound.ok_or_else(|| Failing::mistakes(Exit::Invalid, mistakes))
}

/// The values of a file of inputs.
pub(super) fn inputs_file(path: &Path, limits: &Limits) -> Result<plan::InputsFile, Failing> {
    let text = match read_text(path) {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Err(Failing::words(
                Exit::Usage,
                format!("there is no file of inputs `{}`", path.display()),
            ));
        }
        Err(mistake) => return Err(Failing::mistake(Exit::Usage, *mistake)),
    };
    let (file, mistakes) = read_inputs_file(&Source::new(path.display().to_string(), text), limits);
    file.ok_or_else(|| Failing::mistakes(Exit::Invalid, mistakes))
}

/// An id that people can read aloud: the playbook, the minute, and some of a random number.
fn made_id(name: &str) -> Result<String, Failing> {
    let now = Clock::real().now().strftime("%Y%m%d-%H%M").to_string();
    let random = random()?;
    let name = crate::text::file_name(&name.to_lowercase(), 40);
    Ok(format!(
        "{name}-{now}-{}",
        random.get(..6).unwrap_or_default()
    ))
}

/// A random number, in hexadecimal: made once with a run, and everything else is derived from it.
fn random() -> Result<String, Failing> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failing::words(Exit::Bug, format!("there are no random numbers: {error}"))
    })?;
    Ok(crate::ids::to_hex(&bytes))
}

fn files_dir(args: &Apply, store: &SqliteStore, id: &str) -> Result<PathBuf, Failing> {
    match &args.files {
        Some(dir) => std::path::absolute(dir)
            .map_err(|error| Failing::words(Exit::Usage, format!("`{}`: {error}", dir.display()))),
        None => Ok(store.run_folder(id)?.join("files")),
    }
}

fn info(
    around: &Surroundings,
    args: &Apply,
    (settings, id): (&Settings, &str),
) -> Result<RunInfo, Failing> {
    Ok(RunInfo {
        id: id.to_owned(),
        // With a seed, a rehearsal can be repeated to the last byte.
        salt: args.seed.map_or_else(random, |seed| Ok(seed.to_string()))?,
        path: args.playbook.display().to_string(),
        runner: env!("CARGO_PKG_VERSION").to_owned(),
        url: around.environment.job_url(),
        started_at: Clock::real().now(),
        timeout: args.timeout,
        budget: budget(settings),
        mark: settings.writes.mark,
        triage: u32::try_from(settings.triage.jobs).unwrap_or(u32::MAX),
    })
}

fn header(
    (plan, bound): (&Plan, &BoundInputs),
    info: &RunInfo,
    (settings, args): (&Settings, &Apply),
    (files_dir, semaphore): (&Path, &Semaphore),
) -> RunHeader {
    let mut kept: IndexMap<String, StoredInput> = IndexMap::new();
    for (name, value) in &bound.values {
        let stored = if bound.secrets.contains(name) {
            StoredInput::Secret(origin_of(name, plan, &args.inputs))
        } else {
            StoredInput::Value(value.clone())
        };
        kept.insert(name.clone(), stored);
    }
    let mut snapshot = settings.snapshot();
    snapshot[RunHeader::SIMULATED] = semaphore.is_simulated().into();
    if let Some(step) = &args.only {
        snapshot[ONLY] = step.as_str().into();
    }
    if let Semaphore::Real(endpoint) = semaphore {
        snapshot[ORIGIN] = endpoint.origin.url().into();
    }
    if let Some(timeout) = info.timeout {
        snapshot["timeout_ms"] = u64::try_from(timeout.as_millis())
            .unwrap_or(u64::MAX)
            .into();
    }
    RunHeader {
        id: info.id.clone(),
        name: plan.name.clone(),
        created_at: info.started_at,
        playbook: info.path.clone(),
        sources: texts(plan),
        digest: plan.digest.clone(),
        inputs: kept,
        env: environment(plan, bound),
        settings: snapshot,
        files_dir: files_dir.display().to_string(),
    }
}

/// The variables that used playbooks read; of the secret ones only their names.
fn environment(plan: &Plan, bound: &BoundInputs) -> IndexMap<String, StoredInput> {
    let secret = plan::secret_variables(plan);
    let variables = bound.env.iter();
    variables
        .map(|(name, value)| {
            let stored = if secret.contains(name) {
                StoredInput::Secret(SecretOrigin::Env(name.clone()))
            } else {
                StoredInput::Value(value.clone().into())
            };
            (name.clone(), stored)
        })
        .collect()
}

/// Where the value of a secret can be read again.
fn origin_of(name: &str, plan: &Plan, given: &Inputs) -> SecretOrigin {
    let variable = plan.inputs.get(name).and_then(|input| input.env.clone());
    match (&given.file, variable) {
        (Some(file), _) => {
            let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            SecretOrigin::File(path.display().to_string())
        }
        (None, Some(variable)) => SecretOrigin::Env(variable),
        (None, None) => SecretOrigin::CommandLine,
    }
}

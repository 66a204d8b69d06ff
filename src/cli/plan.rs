//! `runner plan`: what `runner apply` would do. It reads from Semaphore, and writes nothing.

pub mod build;
pub mod does;
mod forest;
pub mod graph;
pub mod human;
pub mod known;
pub mod questions;
pub mod view;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::{Value, json};

use self::build::Facts;
use self::known::Known;
use self::questions::Answers;
use self::view::PlanView;
use super::apply::{bound, checked, narrowed};
use super::args::{Apply, Connection, Inputs, Plan as Args, PlanFormat};
use super::check::limits;
use super::connect::{client_limits, endpoint, http_options};
use super::execute::effect_settings;
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::runs::store;
use super::screen::Screen;
use super::settings::Settings;
use super::simulate::scenario;
use crate::clock::Clock;
use crate::drivers::{InProcessTransport, run_local, run_virtual};
use crate::effects::SemaphoreEffects;
use crate::engine::call::Call;
use crate::engine::{CallClass, CallRequest, Effects as _, IntentError, Intents};
use crate::event::{EffectKey, Failure, FailureKind, Intent};
use crate::plan::{BoundInputs, Plan};
use crate::secret::Secret;
use crate::semaphore::{HttpTransport, Origin, Transport};
use crate::simulator::{InProcess, Simulator};
use crate::store::{Estimates, Store as _, remembered_as};

/// The longest that one question may take, tries included.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(60);
/// So often a question is asked.
const TRIES_MAX: u32 = 3;
/// How long it is waited before a question is asked once more.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// The most questions of a plan.
const QUESTIONS_MAX: usize = 500;

/// What is to be planned.
struct Wanted<'a> {
    playbook: &'a Path,
    inputs: &'a Inputs,
    only: Option<&'a str>,
    format: PlanFormat,
    offline: bool,
    simulate: Option<&'a str>,
    connection: &'a Connection,
}

/// Plans.
pub(super) fn plan(around: &Surroundings, args: &Args) -> Result<Exit, Failing> {
    show(
        around,
        &Wanted {
            playbook: &args.playbook,
            inputs: &args.inputs,
            only: args.only.as_deref(),
            format: args.format,
            offline: args.offline,
            simulate: args.simulate.as_deref(),
            connection: &args.connection,
        },
    )
}

/// `runner apply --dry-run`.
pub(super) fn dry_run(around: &Surroundings, args: &Apply) -> Result<Exit, Failing> {
    show(
        around,
        &Wanted {
            playbook: &args.playbook,
            inputs: &args.inputs,
            only: args.only.as_deref(),
            format: PlanFormat::Human,
            offline: false,
            simulate: args.simulate.as_deref(),
            connection: &args.connection,
        },
    )
}

fn show(around: &Surroundings, wanted: &Wanted<'_>) -> Result<Exit, Failing> {
    let settings = around.settings(Some(wanted.playbook))?;
    let limits = limits(&settings);
    let plan = checked(around, wanted.playbook, &limits)?;
    let plan = narrowed(plan, wanted.only)?;
    // A picture shows the graph alone, and needs neither values nor Semaphore.
    let is_picture = matches!(wanted.format, PlanFormat::Mermaid | PlanFormat::Dot);
    let is_offline = wanted.offline || is_picture;
    let inputs = match bound(around, &plan, wanted.inputs, &limits) {
        Ok(inputs) => inputs,
        // Without Semaphore the graph is worth showing even while inputs are missing.
        Err(failing) if is_offline && only_missing(&failing) => defaults(&plan),
        Err(failing) => return Err(failing),
    };
    for name in &inputs.secrets {
        if let Some(text) = inputs.values.get(name).and_then(Value::as_str) {
            around.redactor.learn(text);
        }
    }
    let answers = if is_offline {
        Answers::default()
    } else {
        asked(around, &settings, wanted, (&plan, &inputs))?
    };
    let estimates = estimates(around, &settings, &plan.name, wanted.simulate.is_some());
    let durations = |step: &str| estimates.get(step).map(|estimate| estimate.duration_ms);
    let facts = Facts {
        values: &inputs.values,
        secrets: &inputs.secrets,
        answers: &answers,
        durations: &durations,
    };
    print(around, &build::view(&plan, &facts), wanted.format)?;
    Ok(answers.failures().fold(Exit::Passed, |exit, failure| {
        exit.or(match Exit::of_failure(failure.kind) {
            Exit::Passed => Exit::Red,
            other => other,
        })
    }))
}

/// How long steps took lately. A plan is worth showing without this, so what goes wrong here is nothing.
fn estimates(around: &Surroundings, settings: &Settings, name: &str, simulated: bool) -> Estimates {
    let folder = match &settings.state.dir {
        Some(dir) => Some(dir.clone()),
        None => around.environment.state_folder().ok(),
    };
    // Where nothing ran yet, nothing is made.
    if !folder.is_some_and(|folder| folder.is_dir()) {
        return Estimates::default();
    }
    store(around, settings)
        .ok()
        .and_then(|store| store.estimates(&remembered_as(name, simulated)).ok())
        .unwrap_or_default()
}

fn print(around: &Surroundings, view: &PlanView, format: PlanFormat) -> Result<(), Failing> {
    let output = &around.output;
    match format {
        PlanFormat::Human => {
            let screen = Screen::new(around.width(), &around.redactor).colour(output.out_colour());
            output.data(&human::human(view, &screen))?;
        }
        PlanFormat::Json => output.json(&around.redactor.value(&json!(view)))?,
        PlanFormat::Mermaid => output.data(&around.redactor.text(&graph::mermaid(view)))?,
        PlanFormat::Dot => output.data(&around.redactor.text(&graph::dot(view)))?,
    }
    Ok(())
}

/// Whether nothing is wrong with the inputs but that some have no value.
fn only_missing(failing: &Failing) -> bool {
    match failing {
        Failing::Mistakes(_, mistakes) => mistakes
            .sorted()
            .iter()
            .all(|mistake| mistake.code == crate::playbook::codes::MISSING_INPUT),
        Failing::Words { .. } => false,
    }
}

/// The inputs that have a value of their own.
fn defaults(plan: &Plan) -> BoundInputs {
    let with_default = plan.inputs.iter().filter_map(|(name, input)| {
        let value = input.default.clone().filter(|_| !input.secret)?;
        Some((name.clone(), value))
    });
    BoundInputs {
        values: with_default.collect::<IndexMap<_, _>>(),
        ..BoundInputs::default()
    }
}

/// Asks Semaphore, or a simulated one.
fn asked(
    around: &Surroundings,
    settings: &Settings,
    wanted: &Wanted<'_>,
    (plan, inputs): (&Plan, &BoundInputs),
) -> Result<Answers, Failing> {
    let known = Known::of(plan, &inputs.values, &inputs.secrets);
    if Answers::default().open(plan, &known).is_empty() {
        return Ok(Answers::default());
    }
    if let Some(name) = wanted.simulate {
        let scenario = scenario(name)?;
        return run_virtual(async {
            let clock = Clock::paused(Clock::real().now());
            let host = scenario.organization.host.clone();
            let token = Secret::new(scenario.admin_token().unwrap_or_default());
            let simulator = Simulator::new(scenario, 0, clock.now());
            let connection = InProcess::new(simulator, clock);
            let transport = InProcessTransport::new(connection, token, host.clone());
            let origin = Origin::parse(&format!("https://{host}"))?;
            let effects = effects(around, settings, (Arc::new(transport), origin), clock);
            Ok(ask_all(&effects, clock, plan, &known).await)
        })?;
    }
    let endpoint = endpoint(around, wanted.connection)?;
    let origin = endpoint.origin.clone();
    Ok(run_local(async {
        let transport = HttpTransport::new(endpoint, http_options(settings));
        let clock = Clock::real();
        let effects = effects(around, settings, (Arc::new(transport), origin), clock);
        ask_all(&effects, clock, plan, &known).await
    })?)
}

fn effects(
    around: &Surroundings,
    settings: &Settings,
    (transport, origin): (Arc<dyn Transport>, Origin),
    clock: Clock,
) -> SemaphoreEffects {
    let settings = (
        client_limits(settings),
        // No question writes a file.
        effect_settings(settings, std::path::PathBuf::new()),
    );
    SemaphoreEffects::new(transport, origin, settings, clock, around.redactor.clone())
}

/// Asks until no answer leads to a new question.
async fn ask_all(effects: &SemaphoreEffects, clock: Clock, plan: &Plan, known: &Known) -> Answers {
    let mut answers = Answers::default();
    let mut count = 0;
    loop {
        let open = answers.open(plan, known);
        if open.is_empty() || count >= QUESTIONS_MAX {
            return answers;
        }
        for (step, call) in open {
            count += 1;
            let answer = ask(effects, clock, &step, &call).await;
            answers.add(&step, call, answer);
        }
    }
}

/// Asks one question; what may be better in a moment is asked again.
async fn ask(
    effects: &SemaphoreEffects,
    clock: Clock,
    step: &str,
    call: &Call,
) -> Result<Value, Failure> {
    if CallClass::of(call) != CallClass::Read {
        let words = "a plan was about to write: this is a bug in runner";
        return Err(Failure::new(FailureKind::Bug, words));
    }
    let mut attempt = 1;
    loop {
        let request = CallRequest {
            key: EffectKey {
                step: step.to_owned(),
                call: 1,
                attempt,
            },
            call: call.clone(),
            remaining: QUESTION_TIMEOUT,
            intents: Box::new(NoWrites),
            observe: Box::new(|_| {}),
        };
        match effects.call(request).await.result {
            Ok(answer) => return Ok(answer.value),
            Err(failure) if attempt < TRIES_MAX && may_pass(failure.kind) => {
                clock.sleep(AGAIN_AFTER).await;
            }
            Err(failure) => return Err(failure),
        }
        attempt += 1;
    }
}

fn may_pass(kind: FailureKind) -> bool {
    matches!(
        kind,
        FailureKind::Network
            | FailureKind::Timeout
            | FailureKind::RateLimited
            | FailureKind::Server
            | FailureKind::AuthOutage
    )
}

/// No write can be noted down, so none can be sent.
struct NoWrites;

impl Intents for NoWrites {
    fn previous(&self) -> Option<Intent> {
        None
    }

    fn open(&self, _: Intent) -> BoxFuture<'_, Result<(), IntentError>> {
        Box::pin(async {
            Err(IntentError {
                message: "a plan writes nothing".to_owned(),
            })
        })
    }
}

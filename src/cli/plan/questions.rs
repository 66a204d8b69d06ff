//! What a plan asks Semaphore: names to ids, and what is already there.
//!
//! Pure: which calls, and what their answers mean. Only calls that read are ever asked; whoever carries
//! them out gives them no way to write.

use serde_json::Value;

use super::build::problem;
use super::known::Known;
use super::view::Problem;
use crate::engine::call::Call;
use crate::event::Failure;
use crate::ids::Id;
use crate::plan::{Plan, PlanStep};

/// The file of a pipeline when a step does not name one.
const FILE_DEFAULT: &str = ".semaphore/semaphore.yml";
/// So many earlier promotions are looked at.
const PROMOTIONS_MAX: u64 = 50;

/// What was asked so far, each question once, with the first step that asked it.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    asked: Vec<(Call, String, Result<Value, Failure>)>,
}

impl Answers {
    /// Adds an answer.
    pub fn add(&mut self, step: &str, call: Call, answer: Result<Value, Failure>) {
        self.asked.push((call, step.to_owned(), answer));
    }

    fn of(&self, call: &Call) -> Option<&Result<Value, Failure>> {
        self.asked
            .iter()
            .find(|(asked, ..)| asked == call)
            .map(|(.., answer)| answer)
    }

    fn was_asked_by(&self, call: &Call, step: &str) -> bool {
        self.asked
            .iter()
            .any(|(asked, by, _)| asked == call && by == step)
    }

    fn text(&self, call: &Call, field: &str) -> Option<String> {
        let value = self.of(call)?.as_ref().ok()?;
        value.get(field)?.as_str().map(str::to_owned)
    }

    /// What went wrong: the run would meet it too.
    pub fn problems(&self) -> Vec<Problem> {
        self.asked
            .iter()
            .filter_map(|(_, step, answer)| Some(problem(step, answer.as_ref().err()?)))
            .collect()
    }

    /// The failures, for what the process ends with.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.asked
            .iter()
            .filter_map(|(.., answer)| answer.as_ref().err())
    }

    /// What is not asked yet: the step, and the call. Answers lead to new questions.
    pub fn open(&self, plan: &Plan, known: &Known) -> Vec<(String, Call)> {
        let mut open = Vec::new();
        self.collect(plan, known, "", &mut open);
        open
    }

    fn collect(&self, plan: &Plan, known: &Known, prefix: &str, open: &mut Vec<(String, Call)>) {
        for step in &plan.steps {
            let id = format!("{prefix}{}", step.id);
            for call in self.questions(step, known) {
                let is_new = self.of(&call).is_none() && !open.iter().any(|(_, c)| *c == call);
                if is_new {
                    open.push((id.clone(), call));
                }
            }
            if let Some(used) = &step.used {
                self.collect(used, &known.inner(step, used), &format!("{id}/"), open);
            }
        }
    }

    /// All that can be asked about a step with what is known by now.
    fn questions(&self, step: &PlanStep, known: &Known) -> Vec<Call> {
        let asking = Asking {
            step,
            known,
            answers: self,
        };
        let all = [
            asking.project(),
            asking.task(),
            asking.ensured(),
            asking.promoted(),
        ];
        all.into_iter().flatten().collect()
    }

    /// What the answers mean for a step, in words.
    pub fn found(&self, id: &str, step: &PlanStep, known: &Known) -> Vec<String> {
        let asking = Asking {
            step,
            known,
            answers: self,
        };
        let mut found = Vec::new();
        for call in self.questions(step, known) {
            let Some(Ok(value)) = self.of(&call) else {
                continue;
            };
            // Names are told once, where they are met first.
            let is_name = matches!(call, Call::ResolveProject { .. } | Call::ResolveTask { .. });
            if is_name && !self.was_asked_by(&call, id) {
                continue;
            }
            found.extend(asking.meaning(&call, value));
        }
        found
    }
}

struct Asking<'a> {
    step: &'a PlanStep,
    known: &'a Known,
    answers: &'a Answers,
}

impl Asking<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let value = self.known.value(self.step.params.get(name)?)?;
        value.as_str().map(str::to_owned)
    }

    fn project(&self) -> Option<Call> {
        let name = self.text("project")?;
        Id::parse(&name)
            .is_err()
            .then_some(Call::ResolveProject { name })
    }

    fn project_id(&self) -> Option<String> {
        match self.project() {
            Some(call) => self.answers.text(&call, "id"),
            None => self.text("project"),
        }
    }

    fn task(&self) -> Option<Call> {
        let task = self.text("task")?;
        let project_id = self.project_id()?;
        Some(Call::ResolveTask { project_id, task })
    }

    /// Whether there is a pipeline that `ensure_pipeline` would take.
    fn ensured(&self) -> Option<Call> {
        if self.step.action.name != "ensure_pipeline" {
            return None;
        }
        let parameters = match self.step.params.get("parameters") {
            None => Value::Object(serde_json::Map::new()),
            Some(tree) => self.known.value(tree)?,
        };
        let parameters = parameters.as_object()?.iter();
        Some(Call::FindPipeline {
            project_id: self.project_id()?,
            reference: self.text("reference")?,
            pipeline_file: match self.step.params.get("pipeline_file") {
                None => FILE_DEFAULT.to_owned(),
                Some(_) => self.text("pipeline_file")?,
            },
            commit_sha: self.text("commit_sha")?,
            parameters: parameters
                .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect::<Option<_>>()?,
        })
    }

    /// Whether a pipeline was promoted before.
    fn promoted(&self) -> Option<Call> {
        if self.step.action.name != "promote" {
            return None;
        }
        let pipeline_id = Id::parse(&self.text("pipeline")?).ok()?.to_string();
        Some(Call::ListPromotions {
            pipeline_id,
            name: Some(self.text("name")?),
            status: None,
            created_after: None,
            limit: Some(PROMOTIONS_MAX),
        })
    }

    fn meaning(&self, call: &Call, value: &Value) -> Option<String> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        match call {
            Call::ResolveProject { name } => Some(format!("project `{name}` is {}", text("id")?)),
            Call::ResolveTask { task, .. } if Id::parse(task).is_err() => {
                Some(format!("task `{task}` is {}", text("id")?))
            }
            Call::FindPipeline { commit_sha, .. } => Some(match text("found") {
                Some("reused") => format!(
                    "pipeline {} has passed already: nothing is started",
                    text("pipeline_id")?
                ),
                Some(_) => format!(
                    "pipeline {} runs already: it is joined",
                    text("pipeline_id")?
                ),
                None if value.get("undecided").and_then(Value::as_bool) == Some(true) => {
                    "a pipeline is there whose commit Semaphore has not looked up yet".to_owned()
                }
                None => format!("no pipeline of `{commit_sha}` has passed or runs: one is started"),
            }),
            Call::ListPromotions { name, .. } => {
                let name = name.clone().unwrap_or_default();
                let events = value.get("events").and_then(Value::as_array)?;
                Some(self.earlier(&name, events))
            }
            _ => None,
        }
    }

    fn earlier(&self, name: &str, events: &[Value]) -> String {
        let Some(last) = events.first() else {
            return format!("it was not promoted to `{name}` before");
        };
        let at = last
            .get("triggered_at")
            .and_then(Value::as_str)
            .unwrap_or("before");
        let then = match self.text("if_exists").as_deref() {
            Some("again") => "it is promoted once more",
            Some("fail") => "so the step fails",
            _ => "that is joined",
        };
        format!("it was promoted to `{name}` at {at}: {then}")
    }
}

//! The API's closed sets of words, which are not closed: a newer server may say more.
//!
//! Duty: one enum per set, the same whatever the case or the number it came as. Invariant: an unknown
//! word is kept as `Other` and equals no known one. It must not know which object a word stands in.

use serde_json::Number;

use crate::text::clean_line;

/// A word of a set.
pub trait Word: Sized {
    /// The word of a text, in any case.
    fn from_text(text: &str) -> Self;
    /// The word of a number of the protocol behind the API.
    fn from_number(number: &Number) -> Self;
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$word_doc:meta])* $variant:ident = $first:literal $(| $alias:literal)*,)+
    } $(numbers [$($number:literal => $numbered:ident),+])?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)+
            /// A word that this version does not know, in lower case.
            Other(String),
        }

        impl $name {
            /// The word in lower case.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $first,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl Word for $name {
            fn from_text(text: &str) -> Self {
                let word = text.trim().to_ascii_lowercase();
                match word.as_str() {
                    $($first $(| $alias)* => Self::$variant,)+
                    _ => Self::Other(clean_line(&word, 60)),
                }
            }

            fn from_number(number: &Number) -> Self {
                match number.as_i64() {
                    $($(Some($number) => Self::$numbered,)+)?
                    Some(_) | None => Self::Other(clean_line(&number.to_string(), 60)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The state of a pipeline or block. Only `Done` is an end.
    State {
        /// It is being made.
        Initializing = "initializing",
        /// A block that waits for others.
        Waiting = "waiting",
        /// It is about to queue.
        Pending = "pending",
        /// It waits for older pipelines of its queue.
        Queuing = "queuing",
        /// It runs.
        Running = "running",
        /// It is being stopped.
        Stopping = "stopping",
        /// It ended.
        Done = "done",
    }
}

words! {
    /// How a pipeline, block or job ended.
    Verdict {
        /// Well.
        Passed = "passed",
        /// Badly.
        Failed = "failed",
        /// Stopped while it ran.
        Stopped = "stopped",
        /// Stopped before it ran.
        Canceled = "canceled" | "cancelled",
    }
}

words! {
    /// Why a pipeline or block ended so.
    Reason {
        /// A job failed.
        Test = "test",
        /// The pipeline file is missing or wrong.
        Malformed = "malformed",
        /// The platform gave up.
        Stuck = "stuck",
        /// A person.
        User = "user",
        /// The platform failed.
        Internal = "internal",
        /// A newer pipeline.
        Strategy = "strategy",
        /// Another block failed.
        FastFailing = "fast_failing",
        /// The branch was deleted.
        Deleted = "deleted",
        /// The execution time limit.
        Timeout = "timeout",
        /// A block whose condition was false.
        Skipped = "skipped",
    }
}

words! {
    /// The state of a job, in one vocabulary instead of the API's three. Only `Finished` is an end.
    JobState {
        /// It is not wanted yet.
        Pending = "pending",
        /// It waits for an agent.
        Queued = "queued" | "enqueued" | "scheduled",
        /// It runs.
        Running = "running" | "started",
        /// It is being stopped.
        Stopping = "stopping",
        /// It ended.
        Finished = "finished",
    }
}

words! {
    /// What became of the event of a promotion: whether its pipeline was made, not how that ended.
    PromotionStatus {
        /// Not made yet.
        Processing = "processing",
        /// Made.
        Passed = "passed",
        /// Could not be made.
        Failed = "failed",
    }
}

words! {
    /// What started a workflow.
    WorkflowTrigger {
        /// A push.
        Hook = "hook",
        /// A task by its schedule.
        Schedule = "schedule",
        /// A call of the API.
        Api = "api",
        /// A person, by a task.
        ManualRun = "manual_run",
    }
    numbers [0 => Hook, 1 => Schedule, 2 => Api, 3 => ManualRun]
}

words! {
    /// What started a pipeline.
    PipelineTrigger {
        /// Its workflow began.
        Workflow = "workflow",
        /// Somebody promoted.
        Promotion = "promotion",
        /// A promotion by a rule.
        AutoPromotion = "auto_promotion",
        /// A partial rebuild.
        PartialRebuild = "partial_re_run" | "partial_rerun",
    }
    numbers [0 => Workflow, 1 => Promotion, 2 => AutoPromotion, 3 => PartialRebuild]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_vocabulary_do_not_matter() {
        assert_eq!(State::from_text("DONE"), State::Done);
        assert_eq!(State::from_text("done"), State::Done);
        assert_eq!(
            JobState::from_text("ENQUEUED"),
            JobState::from_text("queued")
        );
        assert_eq!(JobState::from_text("started").as_str(), "running");
        assert_eq!(
            WorkflowTrigger::from_number(&2.into()),
            WorkflowTrigger::from_text("API")
        );
    }

    #[test]
    fn an_unknown_word_is_kept_and_equals_nothing_known() {
        for text in ["PASSED_WITH_WARNINGS", "passedd", "", "\u{1b}[31mpassed"] {
            let verdict = Verdict::from_text(text);
            assert!(matches!(verdict, Verdict::Other(_)), "{text}");
            assert_ne!(verdict, Verdict::Passed);
        }
        assert_eq!(Verdict::from_text("GREEN").as_str(), "green");
        assert_eq!(WorkflowTrigger::from_number(&9.into()).as_str(), "9");
    }
}

//! What a pipeline does in its first run, its second, and so on.

use super::model::Reference;
use super::pipeline::{Block, Change, Job, Pipeline, Verdict};

impl Pipeline {
    /// What the run with this number (from 0) on this reference does: all changes made, and with at
    /// least one block.
    pub(crate) fn for_run(&self, reference: &str, number: usize) -> Self {
        let mut run = self.clone();
        run.runs.clear();
        run.references.clear();
        let runs = self
            .references
            .iter()
            .find(|(pattern, _)| fits(pattern, reference))
            .map_or(&self.runs, |(_, runs)| runs);
        if let Some(change) = runs.get(number).or(runs.last()) {
            run.apply(change);
        }
        if run.blocks.is_empty() {
            run.blocks.push(run.only_block());
        }
        run
    }

    fn apply(&mut self, change: &Change) {
        take(&mut self.init, change.init);
        take(&mut self.queue, change.queue);
        take(&mut self.run, change.run);
        take(&mut self.result, change.result);
        take(&mut self.reason, change.reason);
        take(&mut self.error, change.error.clone());
        for job in self.blocks.iter_mut().flat_map(|b| b.jobs.iter_mut()) {
            let Some(change) = change.jobs.get(&job.name) else {
                continue;
            };
            job.wait = change.wait.unwrap_or(job.wait);
            job.run = change.run.unwrap_or(job.run);
            job.result = change.result.unwrap_or(job.result);
            take(&mut job.exit_code, change.exit_code);
            take(&mut job.never_started, change.never_started.clone());
            if let Some(log) = &change.log {
                job.log.clone_from(log);
            }
        }
    }

    /// The block of a pipeline that has no blocks in its file.
    fn only_block(&self) -> Block {
        let result = match self.result {
            Some(Verdict::Failed) => Verdict::Failed,
            Some(Verdict::Stopped) => Verdict::Stopped,
            Some(Verdict::Passed | Verdict::Canceled) | None => Verdict::Passed,
        };
        Block {
            name: "Block #1".to_owned(),
            jobs: vec![Job {
                name: "Job #1".to_owned(),
                wait: super::Span::seconds(1),
                run: self.run.unwrap_or(super::Span::seconds(30)),
                result,
                exit_code: None,
                log: Vec::new(),
                log_corrupt: false,
                self_hosted: false,
                never_started: None,
            }],
            ..Block::default()
        }
    }
}

impl super::Project {
    /// What the scenario says about a reference.
    pub(crate) fn reference(&self, reference: &str) -> Option<&Reference> {
        self.references
            .iter()
            .find(|(pattern, _)| fits(pattern, reference))
            .map(|(_, found)| found)
    }
}

fn take<T>(to: &mut Option<T>, from: Option<T>) {
    if from.is_some() {
        *to = from;
    }
}

/// Whether a text fits a pattern in which each `*` stands for anything.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("refs/heads/fail-*", "refs/heads/fail-1", true),
            ("refs/heads/fail-*", "refs/heads/main", false),
            ("main", "main", true),
            ("main", "main2", false),
            ("GET /a/*/b", "GET /a/1/b", true),
            ("GET /a/*/b", "GET /a/1/c", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_last_run_holds_for_all_later_ones() {
        let change = |result| Change {
            result: Some(result),
            ..Change::default()
        };
        let pipeline = Pipeline {
            runs: vec![change(Verdict::Failed), change(Verdict::Passed)],
            ..Pipeline::default()
        };
        let results: Vec<_> = (0..4)
            .map(|n| pipeline.for_run("refs/heads/main", n).result)
            .collect();
        assert_eq!(
            results,
            [
                Some(Verdict::Failed),
                Some(Verdict::Passed),
                Some(Verdict::Passed),
                Some(Verdict::Passed)
            ]
        );
    }
}

//! Blocks: which may run, and how they end.

use crate::simulator::scenario::{self, Reason, Verdict};

use super::places::Place;
use super::records::{Block, BlockState, Ending, Job, Pipeline};
use super::store::State;

impl State {
    /// The blocks of a pipeline that was just initialized. In a partial rebuild those that passed
    /// before are taken over with their jobs.
    pub(super) fn make_blocks(&mut self, p: Place<Pipeline>, plan: &scenario::Pipeline) {
        let before = self.pipelines[p]
            .partial_rerun_of
            .map(|old| self.pipelines[old].blocks.clone())
            .unwrap_or_default();
        for number in 0..plan.blocks.len() {
            let build_request = self.new_id();
            let taken = before
                .get(number)
                .filter(|b| matches!(b.ending, Some((Verdict::Passed, _))));
            let block = match taken {
                Some(old) => self.taken_over(p, number, old),
                None => Block {
                    id: String::new(),
                    build_request,
                    state: BlockState::Waiting,
                    ending: None,
                    done_at: None,
                    jobs: Vec::new(),
                },
            };
            self.pipelines[p].blocks.push(block);
        }
    }

    fn taken_over(&mut self, p: Place<Pipeline>, number: usize, old: &Block) -> Block {
        let id = self.new_id();
        let mut jobs = Vec::new();
        for original in &old.jobs {
            let mut copy: Job = self.jobs[*original].clone();
            copy.id = self.new_id();
            copy.pipeline = p;
            copy.block = number;
            copy.copy_of = Some(copy.copy_of.unwrap_or(*original));
            jobs.push(self.add_job(copy));
        }
        Block {
            id: if old.id.is_empty() { String::new() } else { id },
            jobs,
            ..old.clone()
        }
    }

    /// Starts what may run, ends what never will, and the pipeline when nothing is left.
    pub(super) fn go_on_with_blocks(&mut self, p: Place<Pipeline>) {
        let Some(plan) = self.pipelines[p].plan.clone() else {
            return;
        };
        // One pass is enough: a block needs only blocks above it.
        for (number, said) in plan.blocks.iter().enumerate() {
            let waits = self
                .block(p, number)
                .is_some_and(|b| b.state == BlockState::Waiting);
            if !waits || self.pipelines[p].stamps.stopping.is_some() {
                continue;
            }
            match self.needs_of(p, &plan, &said.needs) {
                Needs::Open => {}
                Needs::Failed => {
                    self.end_block(p, number, (Verdict::Canceled, Reason::FastFailing));
                }
                Needs::Passed if said.skipped => {
                    self.end_block(p, number, (Verdict::Passed, Reason::Skipped));
                }
                Needs::Passed => self.start_block(p, number, said),
            }
        }
        self.end_when_all_blocks_are(p);
    }

    fn needs_of(&self, p: Place<Pipeline>, plan: &scenario::Pipeline, needs: &[String]) -> Needs {
        let mut all_passed = true;
        for (block, said) in self.pipelines[p].blocks.iter().zip(&plan.blocks) {
            if !needs.contains(&said.name) {
                continue;
            }
            match block.ending {
                Some((Verdict::Passed, _)) => {}
                Some(_) => return Needs::Failed,
                None => all_passed = false,
            }
        }
        if all_passed {
            Needs::Passed
        } else {
            Needs::Open
        }
    }

    fn start_block(&mut self, p: Place<Pipeline>, number: usize, said: &scenario::Block) {
        let id = self.new_id();
        let mut jobs = Vec::new();
        for (index, job) in said.jobs.iter().enumerate() {
            jobs.push(self.enqueue_job(p, number, (index, job)));
        }
        let empty = jobs.is_empty();
        if let Some(block) = self.block_mut(p, number) {
            block.id = id;
            block.state = BlockState::Running;
            block.jobs = jobs;
        }
        if empty {
            self.end_block(p, number, (Verdict::Passed, Reason::Test));
        }
    }

    /// Looks whether the jobs of a block are all over, and if so ends it and goes on.
    pub(super) fn end_block_when_all_jobs_are(&mut self, p: Place<Pipeline>, number: usize) {
        let Some(block) = self.block(p, number) else {
            return;
        };
        let mut verdicts = Vec::new();
        for job in &block.jobs {
            match self.jobs[*job].finished {
                Some((_, verdict)) => verdicts.push(verdict),
                None => return,
            }
        }
        let by_user = block.state == BlockState::Stopping;
        let ending = if verdicts.contains(&Verdict::Stopped) {
            let reason = if by_user { Reason::User } else { Reason::Test };
            (Verdict::Stopped, reason)
        } else if verdicts.contains(&Verdict::Failed) {
            (Verdict::Failed, Reason::Test)
        } else {
            (Verdict::Passed, Reason::Test)
        };
        self.end_block(p, number, ending);
        self.go_on_with_blocks(p);
    }

    /// Ends the blocks that are not done; those that never ran are canceled.
    pub(super) fn end_open_blocks(&mut self, p: Place<Pipeline>, ending: Ending) {
        let now = self.now;
        for block in &mut self.pipelines[p].blocks {
            if block.state == BlockState::Done {
                continue;
            }
            let never_ran = block.state == BlockState::Waiting;
            block.state = BlockState::Done;
            block.done_at = Some(now);
            block.ending = Some(if never_ran {
                (Verdict::Canceled, ending.1)
            } else {
                ending
            });
        }
    }

    fn end_block(&mut self, p: Place<Pipeline>, number: usize, ending: Ending) {
        let now = self.now;
        if let Some(block) = self.block_mut(p, number)
            && block.state != BlockState::Done
        {
            block.state = BlockState::Done;
            block.ending = Some(ending);
            block.done_at = Some(now);
        }
    }

    fn block(&self, p: Place<Pipeline>, number: usize) -> Option<&Block> {
        self.pipelines[p].blocks.get(number)
    }

    fn block_mut(&mut self, p: Place<Pipeline>, number: usize) -> Option<&mut Block> {
        self.pipelines[p].blocks.get_mut(number)
    }
}

/// What the blocks say that another one needs.
enum Needs {
    Open,
    Passed,
    Failed,
}

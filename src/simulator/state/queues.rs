//! Queues: pipelines of one project, reference and file run one after the other.

use crate::simulator::scenario::Span;

use super::agenda::Due;
use super::places::Place;
use super::records::{Pipeline, Queue};
use super::store::{QueueIsFull, State};

impl State {
    /// The queue of a project, branch and file, if there is room for one more.
    pub(super) fn queue_with_room(
        &mut self,
        project: usize,
        branch: &str,
        file: &str,
    ) -> Result<Place<Queue>, QueueIsFull> {
        let lane = (project, branch.to_owned(), file.to_owned());
        let known = self.queue_by_lane.get(&lane).copied();
        let queue = match known {
            Some(queue) => queue,
            None => {
                let id = self.new_id();
                let queue = self.queues.add(Queue {
                    id,
                    name: format!("{branch}-{file}"),
                    members: Vec::new(),
                });
                self.queue_by_lane.insert(lane, queue);
                queue
            }
        };
        if self.queues[queue].members.len() >= self.scenario.server.queue_limit {
            Err(QueueIsFull)
        } else {
            Ok(queue)
        }
    }

    /// A pipeline enters its queue.
    pub(super) fn queuing(&mut self, p: Place<Pipeline>) {
        if self.pipelines[p].is_done() {
            return;
        }
        self.pipelines[p].stamps.queuing = Some(self.now);
        let wait = self.pipelines[p]
            .plan
            .as_ref()
            .and_then(|plan| plan.queue)
            .unwrap_or(Span::millis(100));
        self.schedule(wait.0, Due::Ready(p));
    }

    /// A pipeline may run when it is its turn.
    pub(super) fn ready(&mut self, p: Place<Pipeline>) {
        let pipeline = &self.pipelines[p];
        let (Some(queued_at), Some(plan)) = (pipeline.stamps.queuing, pipeline.plan.clone()) else {
            return;
        };
        if pipeline.is_done() || pipeline.stamps.running.is_some() {
            return;
        }
        let wait = plan.queue.unwrap_or(Span::millis(100));
        let waited_enough = crate::clock::later(queued_at, wait.0) <= self.now;
        let first = self.queues[pipeline.queue].members.first() == Some(&p);
        if waited_enough && (first || plan.parallel) {
            self.runs(p);
        }
    }

    /// A pipeline that is done leaves its queue, and the next may run.
    pub(super) fn leave_queue(&mut self, p: Place<Pipeline>) {
        let queue = self.pipelines[p].queue;
        self.queues[queue].members.retain(|member| *member != p);
        if let Some(next) = self.queues[queue].members.first().copied() {
            self.schedule(std::time::Duration::ZERO, Due::Ready(next));
        }
    }
}

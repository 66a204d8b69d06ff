//! What a pipeline's file says of the order of its blocks.
//!
//! Two uses: `describe_pipeline` gives it when it is asked to, and a wait that somebody looks at asks once for
//! it, to say which block comes next. A wait without it lacks nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::dispatch::Inner;
use super::failures::of_error;
use super::sightings::Sighting;
use crate::event::Failure;
use crate::ids::Id;
use crate::semaphore::wire::{Block, State, TopologyBlock};

/// So many blocks are named as the next ones.
const NEXT_MAX: usize = 3;

impl Inner {
    /// The blocks in the order of the file, each with those it waits for.
    pub(super) async fn topology(&self, pipeline: &Id) -> Result<Vec<TopologyBlock>, Failure> {
        let answer = self.client.describe_topology(pipeline).await;
        Ok(answer.map_err(of_error)?.value)
    }

    /// Which blocks of a pipeline that was just seen run when the ones that run now are done; nothing when
    /// nobody looks, and when it cannot be told.
    pub(super) async fn upcoming(&self, sighting: &Sighting) -> Vec<String> {
        let pipeline = &sighting.pipeline;
        let (true, Some(blocks)) = (self.settings.topology, &sighting.blocks) else {
            return Vec::new();
        };
        if pipeline.state != State::Running || blocks.iter().all(|block| !waits(block)) {
            return Vec::new();
        }
        let order = match self.sightings.topology_of(&pipeline.id) {
            Some(order) => order,
            None => {
                // It is asked for once: who may not see it need not ask again.
                let order = Arc::new(self.topology(&pipeline.id).await.unwrap_or_default());
                self.sightings.note_topology(&pipeline.id, &order);
                order
            }
        };
        next(blocks, &order)
    }
}

fn waits(block: &Block) -> bool {
    !matches!(block.state, State::Running | State::Done | State::Stopping)
}

/// The blocks that wait only for what runs or is done.
fn next(blocks: &[Block], order: &[TopologyBlock]) -> Vec<String> {
    let waiting: BTreeMap<&str, bool> = blocks
        .iter()
        .map(|block| (block.name.as_str(), waits(block)))
        .collect();
    let is_waiting = |name: &str| waiting.get(name).copied().unwrap_or_default();
    order
        .iter()
        .filter(|block| is_waiting(&block.name))
        .filter(|block| !block.dependencies.iter().any(|needed| is_waiting(needed)))
        .take(NEXT_MAX)
        .map(|block| block.name.clone())
        .collect()
}

/// Adds to each block of a pipeline's value what it waits for; null when the file does not name the block.
pub(super) fn add_needs(pipeline: &mut Value, order: &[TopologyBlock]) {
    let needs: BTreeMap<&str, &[String]> = order
        .iter()
        .map(|block| (block.name.as_str(), block.dependencies.as_slice()))
        .collect();
    let blocks = pipeline.get_mut("blocks").and_then(Value::as_array_mut);
    for block in blocks.into_iter().flatten() {
        let name = block.get("name").and_then(Value::as_str);
        block["needs"] = json!(name.and_then(|name| needs.get(name)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(name: &str, state: State) -> Block {
        Block {
            id: None,
            name: name.to_owned(),
            state,
            result: None,
            reason: None,
            error_description: String::new(),
            jobs: Vec::new(),
        }
    }

    fn order(of: &[(&str, &[&str])]) -> Vec<TopologyBlock> {
        let block = |(name, needs): &(&str, &[&str])| TopologyBlock {
            name: (*name).to_owned(),
            jobs: Vec::new(),
            dependencies: needs.iter().map(|n| (*n).to_owned()).collect(),
        };
        of.iter().map(block).collect()
    }

    #[test]
    fn what_comes_next_waits_only_for_what_runs() {
        let order = order(&[
            ("Build", &[]),
            ("Test", &["Build"]),
            ("Docs", &["Build"]),
            ("Ship", &["Test", "Docs"]),
        ]);
        let now = |build, test, docs| {
            let blocks = [
                block("Build", build),
                block("Test", test),
                block("Docs", docs),
                block("Ship", State::Pending),
            ];
            next(&blocks, &order)
        };
        let (done, running, pending) = (State::Done, State::Running, State::Pending);
        assert_eq!(
            now(running.clone(), pending.clone(), pending.clone()),
            ["Test", "Docs"]
        );
        assert_eq!(now(done.clone(), running.clone(), pending), ["Docs"]);
        assert_eq!(now(done, running.clone(), running), ["Ship"]);
        assert!(next(&[block("Build", State::Pending)], &[]).is_empty());
    }
}

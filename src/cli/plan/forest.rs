//! A graph of steps as a forest: each step stands once, under the last of those that it waits for.

use std::collections::BTreeMap;

use super::view::StepView;

/// So many steps stand one under the other; what follows begins at the left again, with all its needs.
const LEVELS_MAX: usize = 12;

/// Which step stands under which.
pub(super) struct Forest<'a> {
    pub(super) steps: &'a [StepView],
    /// By step: the one that it stands under.
    pub(super) parents: Vec<Option<usize>>,
    /// By step: those that stand under it.
    children: Vec<Vec<usize>>,
    roots: Vec<usize>,
}

impl<'a> Forest<'a> {
    pub(super) fn of(steps: &'a [StepView]) -> Self {
        let places: BTreeMap<&str, usize> = steps
            .iter()
            .enumerate()
            .map(|(at, step)| (step.id.as_str(), at))
            .collect();
        let needs: Vec<Vec<usize>> = steps
            .iter()
            .map(|step| {
                step.needs
                    .iter()
                    .filter_map(|need| places.get(need.step.as_str()).copied())
                    .collect()
            })
            .collect();
        let depths = depths(&needs);
        let depth = |at: &usize| depths.get(*at).copied().unwrap_or(0);
        let mut parents: Vec<Option<usize>> = needs
            .iter()
            .map(|needs| needs.iter().copied().max_by_key(|at| (depth(at), *at)))
            .collect();
        let mut order: Vec<usize> = (0..steps.len()).collect();
        order.sort_by_key(depth);
        let mut levels = vec![0; steps.len()];
        let mut children = vec![Vec::new(); steps.len()];
        for at in order {
            let Some(parent) = parents.get_mut(at) else {
                continue;
            };
            let above = parent.and_then(|above| levels.get(above).copied());
            match above.map(|level: usize| level + 1) {
                Some(level) if level < LEVELS_MAX => {
                    if let Some(slot) = levels.get_mut(at) {
                        *slot = level;
                    }
                }
                Some(_) | None => *parent = None,
            }
        }
        let mut roots = Vec::new();
        for (at, parent) in parents.iter().enumerate() {
            match parent.and_then(|parent| children.get_mut(parent)) {
                Some(siblings) => siblings.push(at),
                None => roots.push(at),
            }
        }
        Self {
            steps,
            parents,
            children,
            roots,
        }
    }

    pub(super) fn children(&self, parent: Option<usize>) -> &[usize] {
        let below = parent.and_then(|at| self.children.get(at));
        match (parent, below) {
            (None, _) => &self.roots,
            (Some(_), Some(below)) => below,
            (Some(_), None) => &[],
        }
    }
}

/// How many steps stand before each, on the longest way.
fn depths(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut depths = vec![0; needs.len()];
    let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut followers = vec![Vec::new(); needs.len()];
    for (at, needs) in needs.iter().enumerate() {
        for need in needs {
            if let Some(followers) = followers.get_mut(*need) {
                followers.push(at);
            }
        }
    }
    let free = waiting.iter().enumerate().filter(|(_, open)| **open == 0);
    let mut ready: Vec<usize> = free.map(|(at, _)| at).collect();
    while let Some(at) = ready.pop() {
        let below = depths.get(at).map_or(0, |depth| depth + 1);
        for follower in followers.get(at).into_iter().flatten().copied() {
            if let (Some(depth), Some(open)) = (depths.get_mut(follower), waiting.get_mut(follower))
            {
                *depth = below.max(*depth);
                *open -= 1;
                if *open == 0 {
                    ready.push(follower);
                }
            }
        }
    }
    depths
}

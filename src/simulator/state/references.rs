//! References and the commits they point to.

use crate::simulator::scenario::Project;

use super::records::Commit;
use super::store::State;

/// The name that the server stores for a reference: branches by their name, tags in full, pull
/// requests as `pull-request-N`.
pub(super) fn branch_name(reference: &str) -> String {
    if let Some(branch) = reference.strip_prefix("refs/heads/") {
        branch.to_owned()
    } else if let Some(number) = reference.strip_prefix("refs/pull/") {
        format!("pull-request-{number}")
    } else {
        reference.to_owned()
    }
}

/// The reference in full: what does not start with `refs/` is a branch.
pub(super) fn in_full(reference: &str) -> String {
    if reference.starts_with("refs/") {
        reference.to_owned()
    } else {
        format!("refs/heads/{reference}")
    }
}

impl State {
    /// The project at a place of the scenario.
    pub(crate) fn project(&self, project: usize) -> Option<&Project> {
        self.scenario.projects.get(project)
    }

    /// The ids of all projects: those of the scenario, or made from their names.
    pub(super) fn ids_of_projects(&self) -> Vec<String> {
        self.scenario
            .projects
            .iter()
            .map(|project| match &project.id {
                Some(id) => id.to_lowercase(),
                None => self.id_of(&["project", &project.name]),
            })
            .collect()
    }

    /// The id of a project.
    pub(crate) fn project_id(&self, project: usize) -> &str {
        self.project_ids.get(project).map_or("", String::as_str)
    }

    /// The project with this id; projects of other organizations are there too.
    pub(crate) fn project_by_id(&self, id: &str) -> Option<usize> {
        self.project_ids.iter().position(|known| known == id)
    }

    /// The project with this name.
    pub(crate) fn project_by_name(&self, name: &str) -> Option<usize> {
        self.scenario.projects.iter().position(|p| p.name == name)
    }

    /// Whether a reference exists.
    pub(crate) fn reference_exists(&self, project: usize, reference: &str) -> bool {
        let reference = in_full(reference);
        let pushed = self.tips.contains_key(&(project, reference.clone()));
        let said = self.project(project).and_then(|p| p.reference(&reference));
        pushed || !said.is_some_and(|r| r.missing)
    }

    /// Moves a reference.
    pub(super) fn push(&mut self, project: usize, reference: &str, commit: &str) {
        self.tips
            .insert((project, in_full(reference)), commit.to_owned());
    }

    /// The commit that a workflow is about: the one that was asked for, or the tip of its reference.
    pub(super) fn resolve_commit(
        &mut self,
        project: usize,
        reference: &str,
        asked: &str,
    ) -> Commit {
        let said = self.project(project).and_then(|p| p.reference(reference));
        let message = said.and_then(|r| r.message.clone());
        let tip = self
            .tips
            .get(&(project, reference.to_owned()))
            .cloned()
            .or_else(|| said.and_then(|r| r.commit.clone()))
            .unwrap_or_else(|| self.made_up_commit(project, reference));
        let asked_for_tip = asked.is_empty() || asked == "HEAD";
        let branch_id = self.id_of(&["branch", &project.to_string(), &branch_name(reference)]);
        Commit {
            sha: if asked_for_tip { tip } else { asked.to_owned() },
            message: message.unwrap_or_else(|| "Round prices half up".to_owned()),
            hook_id: self.new_id(),
            branch_id,
        }
    }

    fn made_up_commit(&self, project: usize, reference: &str) -> String {
        let project = self.project(project).map_or("", |p| p.name.as_str());
        let digest = crate::ids::digest(&["commit", project, reference]);
        digest.chars().take(40).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_branch_names() {
        for (reference, expected) in [
            ("refs/heads/feature/x", "feature/x"),
            ("refs/tags/v1", "refs/tags/v1"),
            ("refs/pull/7", "pull-request-7"),
            ("topic", "topic"),
        ] {
            assert_eq!(branch_name(reference), expected);
        }
    }
}

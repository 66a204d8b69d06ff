//! Projects: one by its name, or all.
//!
//! Duty: the endpoints under `projects`. Invariant: a name is one segment of a path. It must not keep
//! what it found.

use super::client::{Answer, Client};
use super::error::Error;
use super::operation::Operation;
use super::pages::{Key, Listing, Paged, by_has_more};
use super::paths::encoded;
use super::transport::Request;
use super::wire::{Fields, Project};

const PATH: &str = "/api/v1alpha/projects";

impl Client {
    /// Finds a project by its name; an id is no name here.
    pub async fn project_by_name(&self, name: &str) -> Result<Answer<Project>, Error> {
        // These three would change the path instead of naming a project.
        if matches!(name, "" | "." | "..") {
            return Err(Error::refused_here(
                Operation::DescribeProject,
                format!("`{name}` is not the name of a project"),
                "names of projects stand in the address of their pages on Semaphore",
            ));
        }
        let request = Request::get(format!("{PATH}/{}", encoded(name)));
        let asked = self.ask(Operation::DescribeProject, request, Project::parse);
        asked.await.map_err(|mut error| {
            // A name may be mistyped, so it is said which one was not found.
            if let Some(rest) = error.message.strip_prefix("the project was ") {
                let name = crate::text::clean_line(name, 100);
                error.message = format!("the project `{name}` was {rest}");
            }
            error
        })
    }

    /// Lists the projects that the token may see.
    pub async fn list_projects(&self, limit: usize) -> Result<Listing<Project>, Error> {
        self.list(Paged {
            operation: Operation::ListProjects,
            first: Request::get(PATH),
            limit,
            parse: |value| {
                // Some versions wrap each project once more.
                match Fields::of("project", value)?.get("project") {
                    Some(inner) => Project::parse(inner),
                    None => Project::parse(value),
                }
            },
            key: |project| Key::Id(project.id.to_string()),
            next: by_has_more,
        })
        .await
    }
}

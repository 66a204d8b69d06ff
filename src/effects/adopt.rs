//! Taking over what a person says an unknown write has made.
//!
//! A person copies an id from a page of Semaphore, and may take that of the workflow or that of its
//! pipeline: both are understood. It only reads, and it takes nothing that belongs to another project.

use super::dispatch::Inner;
use super::failures::{id, of_error};
use crate::event::{Answer, Failure, FailureKind};
use crate::ids::Id;
use crate::semaphore::Class;

impl Inner {
    /// Gives what the write would have given.
    pub(super) async fn adopt(
        &self,
        named: &str,
        project_id: Option<&str>,
    ) -> Result<Answer, Failure> {
        let named = id(named)?;
        match self.client.describe_workflow(&named).await {
            Ok(described) => {
                let workflow = &described.value;
                same_project(&named, workflow.project_id.as_ref(), project_id)?;
                let pipeline = workflow
                    .pipeline_id
                    .as_ref()
                    .ok_or_else(|| no_such(&named))?;
                Ok(self.started(&workflow.id, pipeline, described.response.clone()))
            }
            Err(error) if error.class == Class::NotFound => {
                self.adopt_pipeline(&named, project_id).await
            }
            Err(error) => Err(of_error(error)),
        }
    }

    async fn adopt_pipeline(
        &self,
        named: &Id,
        project_id: Option<&str>,
    ) -> Result<Answer, Failure> {
        let described = match self.client.describe_pipeline(named, false).await {
            Ok(described) => described,
            Err(error) if error.class == Class::NotFound => return Err(no_such(named)),
            Err(error) => return Err(of_error(error)),
        };
        let pipeline = &described.value.pipeline;
        same_project(named, pipeline.project_id.as_ref(), project_id)?;
        let workflow = pipeline
            .workflow_id
            .as_ref()
            .ok_or_else(|| no_such(named))?;
        Ok(self.started(workflow, &pipeline.id, described.response.clone()))
    }
}

fn no_such(named: &Id) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("there is no workflow and no pipeline `{named}`"),
    )
    .hint("copy the id from the page of the workflow on Semaphore")
}

/// What belongs to another project was not made by this write.
fn same_project(named: &Id, found: Option<&Id>, wanted: Option<&str>) -> Result<(), Failure> {
    match (found, wanted) {
        (Some(found), Some(wanted)) if found.as_str() != wanted => Err(Failure::new(
            FailureKind::Refused,
            format!("`{named}` belongs to another project (`{found}`, not `{wanted}`)"),
        )
        .hint("copy the id from the page of the workflow on Semaphore")),
        _ => Ok(()),
    }
}

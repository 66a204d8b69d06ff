//! Where playbooks come from: the disk and the library, or the record of a run.

use std::path::Path;
use std::sync::Arc;

use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use crate::diagnostic::Source;
use crate::event::PlanFile;
use crate::plan::{self, Limits, Plan};
use crate::playbook::{DiskFiles, StoredFile, StoredFiles};
use crate::store::RunHeader;

/// What the playbook at `path` may use: files below its root, and the library.
pub(super) fn files(
    around: &Surroundings,
    (source, path): (&Arc<Source>, &Path),
    limits: &Limits,
) -> DiskFiles {
    let given = around.global.library.iter().cloned();
    let libraries = given.chain(around.environment.libraries());
    DiskFiles::new(source, path, libraries, limits)
}

/// The playbook of a run and all that it uses, from its record.
pub(super) fn kept(header: &RunHeader) -> Result<(Arc<Source>, StoredFiles), Failing> {
    let (first, files) = of_files(&header.sources);
    let Some(first) = first else {
        return Err(Failing::words(
            Exit::NotWritten,
            format!("the run `{}` has lost its playbook", header.id),
        ));
    };
    Ok((first, files))
}

/// The texts of a plan, to be kept with its run.
pub(super) fn texts(plan: &Plan) -> Vec<PlanFile> {
    let all = plan::links(plan).into_iter();
    all.map(|(source, uses)| PlanFile {
        name: source.name.clone(),
        text: source.text.clone(),
        uses,
    })
    .collect()
}

/// The playbook and the files of a plan that was kept.
pub(super) fn of_files(files: &[PlanFile]) -> (Option<Arc<Source>>, StoredFiles) {
    let all: Vec<StoredFile> = files
        .iter()
        .map(|kept| StoredFile {
            source: Source::new(kept.name.clone(), kept.text.clone()),
            uses: kept.uses.clone(),
        })
        .collect();
    let first = all.first().map(|file| Arc::clone(&file.source));
    (first, StoredFiles::new(all))
}

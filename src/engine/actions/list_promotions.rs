//! `list_promotions`: lists what was promoted from a pipeline.

use super::reading::{Reading, listed};
use crate::engine::call::Call;
use crate::engine::params::Params;

/// The action.
pub(super) fn new(params: &Params) -> Reading {
    let call = Call::ListPromotions {
        pipeline_id: params.text("pipeline").to_owned(),
        name: params.optional("name"),
        status: params.optional("state"),
        created_after: params.since("created_after"),
        limit: params.integer("limit"),
    };
    Reading::of(call, listed)
}

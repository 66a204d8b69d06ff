//! Promotions: list their events, trigger one.
//!
//! Duty: the two endpoints under `promotions`. Invariant: whatever stands in the body of a trigger
//! beside the known keys is a parameter of the promotion, so nothing else ever stands there. It must not
//! find the promoted pipeline: the answer does not name it.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::client::{Answer, Client};
use super::error::Error;
use super::operation::Operation;
use super::pages::{Key, Listing, Paged, by_link};
use super::transport::Request;
use super::wire::PromotionEvent;
use super::workflows::{acknowledged, token_given};
use crate::ids::Id;

const PATH: &str = "/api/v1alpha/promotions";
/// From 100 on the server answers 500.
const PAGE_SIZE_MAX: usize = 99;

/// Keys of the body that are no parameters: a parameter of such a name cannot be passed.
pub const RESERVED: [&str; 6] = [
    "name",
    "override",
    "pipeline_id",
    "request_token",
    "switch_id",
    "user_id",
];

/// What to promote.
#[derive(Debug, Clone)]
pub struct TriggerPromotion {
    /// The pipeline.
    pub pipeline_id: Id,
    /// The name of the promotion, exactly.
    pub name: String,
    /// Its parameters.
    pub parameters: IndexMap<String, String>,
    /// Whether a pipeline that did not pass is promoted all the same.
    pub r#override: bool,
    /// The same token makes one event, however often it is sent.
    pub request_token: String,
}

impl Client {
    /// Lists the events of the promotions of a pipeline, newest first.
    pub async fn list_promotions(
        &self,
        pipeline: &Id,
        name: Option<&str>,
        limit: usize,
    ) -> Result<Listing<PromotionEvent>, Error> {
        let first = Request::get(PATH)
            .query("pipeline_id", pipeline.as_str())
            .query_if("name", name)
            .query("page_size", limit.clamp(1, PAGE_SIZE_MAX).to_string());
        self.list(Paged {
            operation: Operation::ListPromotions,
            first,
            limit,
            parse: PromotionEvent::parse,
            key: |event| Key::Looks(event.looks()),
            next: by_link,
        })
        .await
    }

    /// Triggers a promotion. The answer says only that it was taken.
    pub async fn trigger_promotion(&self, trigger: &TriggerPromotion) -> Result<Answer<()>, Error> {
        let operation = Operation::TriggerPromotion;
        token_given(operation, &trigger.request_token)?;
        let mut body = Map::new();
        for (name, value) in &trigger.parameters {
            if RESERVED.contains(&name.as_str()) {
                return Err(Error::refused_here(
                    operation,
                    format!("a promotion cannot have a parameter `{name}`"),
                    format!(
                        "Semaphore keeps these names for itself: {}",
                        RESERVED.join(", ")
                    ),
                ));
            }
            body.insert(name.clone(), json!(value));
        }
        body.insert("pipeline_id".to_owned(), json!(trigger.pipeline_id));
        body.insert("name".to_owned(), json!(trigger.name));
        body.insert("request_token".to_owned(), json!(trigger.request_token));
        if trigger.r#override {
            body.insert("override".to_owned(), json!(true));
        }
        let request = Request::post(PATH).json(Value::Object(body));
        self.ask(operation, request, acknowledged).await
    }
}

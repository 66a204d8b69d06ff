//! `/api/v1alpha/promotions`.

use serde_json::{Value, json};

use crate::simulator::http::Reply;
use crate::simulator::state::{Pipeline, Place, PromoteRefusal, PromotionEvent, State, Trigger};

use super::access::{Permission, need};
use super::answers::{internal_error, not_found, said};
use super::pages::{Paging, digits, paged};
use super::route::Asked;
use super::words::time_parts;

/// More than this on a page is an error of the server behind.
const PAGE_SIZE_MAX: usize = 99;

/// Names in the body that are no parameters of the promotion.
const OWN_NAMES: [&str; 6] = [
    "switch_id",
    "name",
    "user_id",
    "override",
    "request_token",
    "pipeline_id",
];

fn allowed(
    state: &State,
    asked: &Asked<'_>,
    permission: Permission,
) -> Result<Place<Pipeline>, Reply> {
    let id = asked.text("pipeline_id").unwrap_or_default();
    if id.is_empty() {
        return Err(if asked.caller.may(permission) {
            said(400, "Pipeline with id: '' not found.")
        } else {
            not_found()
        });
    }
    let found = state.pipeline(id).ok_or_else(not_found)?;
    need(
        &asked.caller,
        state,
        state.pipelines[found].project,
        permission,
    )?;
    Ok(found)
}

/// `GET /promotions`: what was triggered, not what could be.
pub(super) fn list(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = allowed(state, asked, Permission::View)?;
    let paging = Paging {
        page: number(asked, "page", 1)?,
        size: number(asked, "page_size", 10)?,
    };
    let it = &state.pipelines[found];
    let (Some(switch), Some(plan)) = (&it.switch, &it.plan) else {
        return Err(internal_error());
    };
    if paging.page == 0 || paging.size == 0 || paging.size > PAGE_SIZE_MAX {
        return Err(internal_error());
    }
    let name_of = |event: &PromotionEvent| {
        plan.promotions
            .get(event.promotion)
            .map_or("", |p| p.name.as_str())
    };
    let until = super::workflows::visible_until(state, asked);
    let wanted = asked.text("name").filter(|name| !name.is_empty());
    let events: Vec<&PromotionEvent> = switch
        .events
        .iter()
        .rev()
        .filter(|event| !event.hidden && event.triggered_at <= until)
        .filter(|event| wanted.is_none_or(|name| name == name_of(event)))
        .collect();
    let view = |event: &&PromotionEvent| {
        let settled = event.settled.filter(|(at, _)| *at <= until);
        let child = settled
            .and_then(|(_, child)| child)
            .map_or("", |child| &state.pipelines[child].id);
        let status = match settled {
            None => "processing",
            Some((_, Some(_))) => "passed",
            Some((_, None)) => "failed",
        };
        json!({
            "triggered_by": event.triggered_by,
            "triggered_at": time_parts(Some(event.triggered_at)),
            "status": status,
            "scheduled_pipeline_id": child,
            "scheduled_at": time_parts(settled.map(|(at, _)| at)),
            "override": event.overriding,
            "name": name_of(event),
        })
    };
    Ok(paged(asked.request, &asked.params, paging, (&events, view)))
}

fn number(asked: &Asked<'_>, name: &str, otherwise: usize) -> Result<usize, Reply> {
    match asked.params.get(name) {
        None => Ok(otherwise),
        Some(value) => digits(value).ok_or_else(|| {
            said(
                400,
                &format!("Invalid value of '{name}' param: {value} - needs to be integer."),
            )
        }),
    }
}

/// `POST /promotions`: every name that is not the API's own is a parameter of the promotion.
pub(super) fn trigger(state: &mut State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = allowed(state, asked, Permission::Run)?;
    let overriding = match asked.params.get("override") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(Value::String(text)) if text == "true" => true,
        Some(Value::String(text)) if text == "false" => false,
        Some(other) => {
            let shown = match other {
                Value::Null => "nil".to_owned(),
                other => other.to_string(),
            };
            return Err(said(
                400,
                &format!("Invalid value of 'override' param: {shown} - needs to be boolean."),
            ));
        }
    };
    let request_token = match asked.params.get("request_token") {
        None => None,
        Some(Value::String(token)) if !token.is_empty() => Some(token.clone()),
        Some(_) => return Err(internal_error()),
    };
    let name = match asked.params.get("name") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(name)) => name.clone(),
        Some(_) => return Err(internal_error()),
    };
    let parameters: Option<Vec<(String, String)>> = asked
        .params
        .iter()
        .filter(|(name, _)| !OWN_NAMES.contains(&name.as_str()))
        .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let trigger = Trigger {
        name: name.clone(),
        overriding,
        parameters,
        request_token,
        origin: asked.caller.origin(),
    };
    match state.promote(found, trigger) {
        Ok(()) => Ok(said(200, "Promotion successfully triggered.")),
        Err(refusal) => Err(refused(state, &refusal, &name)),
    }
}

fn refused(state: &State, refusal: &PromoteRefusal, name: &str) -> Reply {
    match refusal {
        PromoteRefusal::NoSwitch | PromoteRefusal::BadParameter => internal_error(),
        PromoteRefusal::NoTarget(switch) => said(
            400,
            &format!("Target for switch: {switch} with name: {name} not found"),
        ),
        PromoteRefusal::NotPassed => said(
            400,
            "Triggering target when pipeline is not passed requires override confirmation.",
        ),
        PromoteRefusal::DeploymentTarget(why) => {
            let error = state.id_of(&["error", &state.now().to_string()]);
            said(
                400,
                &format!(
                    "Triggering promotion with deployment target failed: {why} (error ID: {error})"
                ),
            )
        }
    }
}

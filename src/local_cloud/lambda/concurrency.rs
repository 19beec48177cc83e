//! Reserved concurrency.

use super::model;
use super::{Answer, Call, invalid};
use serde_json::{Value, json};

/// Concurrent executions of an account.
const ACCOUNT_QUOTA: i64 = 1000;
/// What must stay unreserved.
const UNRESERVED: i64 = 100;

pub(super) fn put(call: Call<'_>) -> Answer {
    let (mut function, _) = call.function()?;
    let body = &call.body;
    let reserved = body
        .number("ReservedConcurrentExecutions", 0, i64::from(i32::MAX))?
        .ok_or_else(|| {
            let rule = "Member must not be null";
            body.violation("ReservedConcurrentExecutions", "null", rule)
        })?;
    let functions = model::functions(call.store, &call.request.region)?;
    let others = functions.iter().filter(|other| other.name != function.name);
    let others: i64 = others.filter_map(|other| other.concurrency).sum();
    if others.saturating_add(reserved) > ACCOUNT_QUOTA - UNRESERVED {
        return Err(invalid(format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}]."
        )));
    }
    function.concurrency = Some(reserved);
    model::put_function(call.store, &function);
    Ok((200, json!({"ReservedConcurrentExecutions": reserved})))
}

pub(super) fn get(call: Call<'_>) -> Answer {
    let (function, _) = call.function()?;
    let mut document = json!({});
    if let Some(reserved) = function.concurrency {
        document["ReservedConcurrentExecutions"] = reserved.into();
    }
    Ok((200, document))
}

pub(super) fn delete(call: Call<'_>) -> Answer {
    let (mut function, _) = call.function()?;
    function.concurrency = None;
    model::put_function(call.store, &function);
    Ok((204, Value::Null))
}

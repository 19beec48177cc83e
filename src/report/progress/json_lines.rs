//! One JSON object a line, for scripts.

use super::Reporter;
use super::record::{Record, Tally, next_step, words};
use crate::engine::apply::event::{Doing, Event};
use crate::report::secrets::Secrets;
use crate::resource::error::Error;
use crate::visible;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

pub(super) struct JsonLines {
    out: Box<dyn Write + Send>,
    record: Record,
    /// The reason last written for each waiting step.
    reasons: BTreeMap<String, String>,
    /// What stands above the plan.
    head: Value,
}

impl JsonLines {
    pub(super) fn new(out: Box<dyn Write + Send>, secrets: Secrets, head: Value) -> Self {
        Self {
            out,
            record: Record::new(secrets),
            reasons: BTreeMap::new(),
            head,
        }
    }

    fn write(&mut self, line: &Value) {
        let _ = writeln!(self.out, "{}", visible::json(&line.to_string()));
        let _ = self.out.flush();
    }

    /// The object for an event; none for bookkeeping and for a wait whose reason is known.
    fn object(&mut self, event: &Event) -> Option<Value> {
        let object = match event {
            Event::Started { steps, depth, .. } => {
                json!({"type": "started", "steps": steps, "depth": depth, "head": self.head})
            }
            Event::StepStarted { address, doing } => step(address, *doing, "begun")?,
            Event::Waiting { address, reason } => {
                let doing = self.record.running.get(address)?.doing;
                if self.reasons.get(address) == Some(reason) {
                    return None;
                }
                self.reasons.insert(address.clone(), reason.clone());
                let mut object = step(address, doing, "waiting")?;
                object["reason"] = self.record.hide(reason).into();
                object
            }
            Event::Done {
                address,
                doing,
                id,
                took,
            } => {
                let mut object = step(address, *doing, "done")?;
                object["id"] = self.record.hide(id).into();
                object["seconds"] = took.as_secs_f64().into();
                object
            }
            Event::Failed {
                address,
                doing,
                error,
                now,
                ..
            } => {
                let mut object = json!({
                    "type": "step",
                    "address": address,
                    "action": words(*doing).action,
                    "status": "failed",
                });
                object["error"] = self.error(error);
                object["now"] = self.record.hide(now).into();
                object["next"] = self.record.hide(&next_step(error)).into();
                object
            }
            Event::Stopped {
                address,
                doing,
                now,
            } => {
                let mut object = step(address, *doing, "interrupted")?;
                object["now"] = self.record.hide(now).into();
                object
            }
            Event::Skipped {
                address,
                doing,
                because,
            } => {
                let mut object = step(address, *doing, "skipped")?;
                object["because"] = because.clone().into();
                object
            }
            Event::Interrupted { running } => json!({"type": "interrupted", "running": running}),
        };
        Some(object)
    }

    fn error(&self, error: &Error) -> Value {
        let mut object = json!({"message": self.record.hide(&error.to_string())});
        if let Some(call) = error.call() {
            object["call"] = call.call.into();
            object["code"] = call.code.clone().into();
            object["status"] = call.status.into();
            object["request_id"] = call.request_id.clone().into();
        }
        object
    }
}

/// The object of a step; none for bookkeeping.
fn step(address: &str, doing: Doing, status: &str) -> Option<Value> {
    (doing != Doing::Keeping).then(|| {
        json!({
            "type": "step",
            "address": address,
            "action": words(doing).action,
            "status": status,
        })
    })
}

impl Reporter for JsonLines {
    fn event(&mut self, event: &Event) {
        let object = self.object(event);
        self.record.take(event, Instant::now());
        if let Event::Done { address, .. }
        | Event::Failed { address, .. }
        | Event::Stopped { address, .. } = event
        {
            self.reasons.remove(address);
        }
        if let Some(object) = object {
            self.write(&object);
        }
    }

    fn tick(&mut self) {}

    fn finish(&mut self, took: Duration) -> Tally {
        let tally = self.record.tally();
        let mut summary = json!({
            "type": "summary",
            "created": tally.created,
            "updated": tally.updated,
            "replaced": tally.replaced,
            "deleted": tally.deleted,
            "failed": tally.failed,
            "skipped": tally.skipped,
            "interrupted": tally.interrupted,
            "seconds": took.as_secs_f64(),
        });
        for (name, count) in [("imported", tally.imported), ("moved", tally.moved)] {
            if count > 0 {
                summary[name] = count.into();
            }
        }
        self.write(&summary);
        tally
    }
}

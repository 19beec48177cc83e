//! Counts the requests of a step that are on their way, from just before one leaves to the
//! moment at which its reply is read; see [`crate::resource::flight`].

use crate::resource::flight::{self, CreatingCall, Sent};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// The interceptor.
#[derive(Debug)]
pub(super) struct InFlight {
    /// Whether it is of a client for calls that create something.
    pub(super) once: bool,
}

/// Kept with the call, so that it ends with it, however the call ends.
#[derive(Debug)]
struct OnItsWay {
    _sent: Sent,
}

impl Storable for OnItsWay {
    type Storer = StoreReplace<Self>;
}

/// Whether an operation changes something, by its name.
fn changes(operation: &str) -> bool {
    let reads = ["Get", "List", "Describe", "Head"];
    !reads.iter().any(|verb| operation.starts_with(verb))
}

#[dyn_dispatch_hint]
impl Intercept for InFlight {
    fn name(&self) -> &'static str {
        "requests in flight"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(sent) = flight::sent() {
            cfg.interceptor_state().store_put(OnItsWay { _sent: sent });
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let left = cfg.load::<OnItsWay>().is_some();
        let name = cfg.load::<Metadata>().map_or("", Metadata::name);
        if left && (self.once || changes(name)) {
            let context = context.inner();
            // A refusal did nothing; a reply that cannot be read, none, or a 5xx may have.
            let refused = context
                .response()
                .is_some_and(|reply| (300..500).contains(&reply.status().as_u16()));
            match context.output_or_error() {
                Some(Ok(_)) => flight::creating(CreatingCall::Succeeded),
                _ if refused => {}
                _ => flight::creating(CreatingCall::Unknown),
            }
        }
        cfg.interceptor_state().unset::<OnItsWay>();
        Ok(())
    }
}

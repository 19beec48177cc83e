//! All integration tests, in one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test ends where something does not hold, prints figures, and sets its stage"
)]

mod acceptance;
mod apply_values;
mod attacks;
mod cli;
mod cloud_control;
mod complete;
mod conformance;
mod crash;
mod crash_secrets;
mod crash_state;
mod crash_told;
mod credentials;
mod denied;
mod docs;
mod dynamic_type;
mod editor;
mod emulator;
mod explained;
mod faults;
mod found;
mod functions;
mod fuzz;
mod gateway;
mod half_done;
mod hostile_bytes;
mod http_api;
mod keys_of_others;
mod large_objects;
mod leaks;
mod left_open;
mod lifecycle;
mod no_drift;
mod no_drift_reads;
mod passing;
mod permissions;
mod plan;
mod plan_oracle;
mod plan_properties;
mod plan_verify;
mod refusals;
mod refused_updates;
mod relation_properties;
mod relations;
mod rooms;
mod rules;
mod served;
mod state;
mod support;
mod template;
mod throttled;
mod unhealed;
mod web_socket;
mod words;

//! How plans, events, outputs and mistakes are shown.

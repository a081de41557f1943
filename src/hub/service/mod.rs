//! A hub as a ready-made Tower service.

mod respond;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod service;
mod settings;

pub use service::HubService;

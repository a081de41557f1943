//! What the layer does with the feature `compression`, and without it.

use http::Response;

use super::asked::Asked;
use super::layer::LayerSettings;
use crate::body::Coder;
#[cfg(feature = "compression")]
use crate::compression::EncodedHere;

/// Labels the response as compressed, if it is to be.
#[cfg(feature = "compression")]
pub(super) fn coder<B>(
    settings: &LayerSettings,
    asked: &Asked,
    response: &mut Response<B>,
) -> Option<Coder> {
    let compression = settings.compression.as_ref()?;
    compression.coder(asked.encoding, response)
}

#[cfg(not(feature = "compression"))]
pub(super) fn coder<B>(_: &LayerSettings, _: &Asked, _: &mut Response<B>) -> Option<Coder> {
    None
}

/// Whether this crate has compressed the stream, in a service inside. Such a stream keeps its
/// `no-transform`.
#[cfg(feature = "compression")]
pub(super) fn was_encoded_here<B>(response: &Response<B>) -> bool {
    response.extensions().get::<EncodedHere>().is_some()
}

#[cfg(not(feature = "compression"))]
pub(super) fn was_encoded_here<B>(_: &Response<B>) -> bool {
    false
}

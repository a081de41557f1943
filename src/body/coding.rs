//! The coding of a body's frames, which exists with the feature `compression` only.

#[cfg(feature = "compression")]
pub(crate) type Coder = Box<crate::compression::Encoder>;

#[cfg(not(feature = "compression"))]
pub(crate) use identity::NoCoder as Coder;

#[cfg(not(feature = "compression"))]
mod identity {
    use std::task::Poll;

    use bytes::Bytes;
    use http_body::Frame;

    /// Takes the place of an encoder in a body, and no space.
    #[derive(Debug)]
    pub(crate) enum NoCoder {}

    type Polled<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

    impl NoCoder {
        pub(crate) fn poll<E>(&mut self, _: impl FnOnce() -> (Polled<E>, bool)) -> Polled<E> {
            match *self {}
        }

        pub(crate) fn is_end_stream(&self) -> bool {
            match *self {}
        }
    }
}

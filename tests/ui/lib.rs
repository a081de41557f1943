//! Nothing: what is tested is what does not compile.

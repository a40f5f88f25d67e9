//! Tests of the language through the public interface, one module per subject.

mod error_pages;

//! Digests: SHA-256, as `sha256sum` prints it.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The digest of bytes, in hexadecimal.
#[must_use]
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("strings can be written to");
    }
    text
}

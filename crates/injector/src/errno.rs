//! Errors a call can fail with, by name.

use std::fmt;

macro_rules! errors {
    ($($name:ident),* $(,)?) => {
        /// The names and numbers of the errors that can be injected.
        pub(crate) const ERRORS: &[(&str, i32)] = &[$((stringify!($name), libc::$name)),*];
    };
}

errors! {
    EACCES, EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EBADF, ECONNABORTED, ECONNREFUSED, ECONNRESET, EDQUOT,
    EEXIST, EFAULT, EFBIG, EHOSTDOWN, EHOSTUNREACH, EINTR, EINVAL, EIO, EISDIR, ELOOP, EMFILE,
    EMLINK, EMSGSIZE, ENAMETOOLONG, ENETDOWN, ENETRESET, ENETUNREACH, ENFILE, ENOBUFS, ENODEV,
    ENOENT, ENOLCK, ENOMEM, ENOSPC, ENOSYS, ENOTCONN, ENOTDIR, ENOTEMPTY, ENXIO, EOPNOTSUPP, EPERM,
    EPIPE, EROFS, ESTALE, ETIMEDOUT, EXDEV,
}

/// An error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Errno(pub i32);

impl Errno {
    /// By its name, such as `ENOSPC`.
    pub fn named(name: &str) -> Option<Errno> {
        ERRORS.iter().find(|(known, _)| *known == name).map(|(_, number)| Errno(*number))
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ERRORS.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => out.write_str(name),
            None => write!(out, "error {}", self.0),
        }
    }
}

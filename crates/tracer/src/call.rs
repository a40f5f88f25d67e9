//! The system calls the tracer knows, apart from their numbers on one architecture.

macro_rules! calls {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// A system call the tracer can stop at. Its number differs between architectures.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        #[allow(missing_docs, reason = "each variant is the call of that name")]
        pub enum Call { $($variant),* }

        impl Call {
            /// Every call, in the order of their identifiers.
            pub const ALL: &'static [Call] = &[$(Call::$variant),*];

            /// The name in the manual, section 2.
            pub const fn name(self) -> &'static str {
                match self { $(Call::$variant => $name),* }
            }
        }
    };
}

calls! {
    Read "read", Write "write", Readv "readv", Writev "writev",
    Preadv2 "preadv2", Pwritev2 "pwritev2",
    Sendto "sendto", Recvfrom "recvfrom", Sendmsg "sendmsg", Recvmsg "recvmsg",
    Sendmmsg "sendmmsg", Recvmmsg "recvmmsg",
    Sendfile "sendfile", Splice "splice", Tee "tee", Vmsplice "vmsplice",
    Socket "socket", Socketpair "socketpair", Pipe "pipe", Pipe2 "pipe2",
    Bind "bind", Connect "connect", Listen "listen", Accept "accept", Accept4 "accept4",
    Shutdown "shutdown", Close "close", CloseRange "close_range",
    Dup "dup", Dup2 "dup2", Dup3 "dup3", PidfdGetfd "pidfd_getfd", Fcntl "fcntl", Setsockopt "setsockopt",
    Fsync "fsync", Fdatasync "fdatasync", SyncFileRange "sync_file_range", Msync "msync",
    Sync "sync", Syncfs "syncfs",
    Open "open", Openat "openat", Openat2 "openat2", Creat "creat",
    Rename "rename", Renameat "renameat", Renameat2 "renameat2",
    Unlink "unlink", Unlinkat "unlinkat",
    Link "link", Linkat "linkat", Symlink "symlink", Symlinkat "symlinkat",
    Mkdir "mkdir", Mkdirat "mkdirat", Rmdir "rmdir",
    Pwrite64 "pwrite64", Pwritev "pwritev",
    Ftruncate "ftruncate", Truncate "truncate", Fallocate "fallocate",
    Wait4 "wait4", Waitid "waitid", Clone "clone", Clone3 "clone3",
    IoUringSetup "io_uring_setup", IoUringEnter "io_uring_enter",
    IoUringRegister "io_uring_register", IoSetup "io_setup",
    IoSubmit "io_submit",
}

/// When the filter stops a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// Always.
    Always,
    /// Only if the low 32 bits of the argument with this index equal one of these values.
    ArgumentIs(u8, &'static [u32]),
    /// Only if the argument with this index has one of these bits set.
    ArgumentHas(u8, u32),
    /// Only on descriptors that carry messages: the first argument. A filter cannot tell sockets
    /// from files by number, so numbers are added, by further filters, as they become channels.
    OnChannels,
    /// Only if FIFOs opened by name, or changes of files, were asked for.
    WithOpens,
    /// Only if changes of files were asked for ([`crate::Options::files`]).
    WithFiles,
    /// Only if writes to files were asked for ([`crate::Options::writes`]).
    WithWrites,
}

impl Call {
    /// The call with this identifier (the data of a seccomp stop).
    pub fn from_id(id: u16) -> Option<Call> {
        Call::ALL.get(usize::from(id)).copied()
    }

    /// Whether and on which condition the filter stops this call.
    pub const fn selected(self) -> Selected {
        match self {
            Call::Fcntl => Selected::ArgumentIs(1, &[0, 1030]), // F_DUPFD, F_DUPFD_CLOEXEC
            // Those that change what a receive waits for or peeks at, or the room of a send.
            Call::Setsockopt => Selected::ArgumentIs(
                2,
                &[
                    libc::SO_SNDBUF as u32,
                    libc::SO_RCVLOWAT as u32,
                    libc::SO_SNDBUFFORCE as u32,
                    libc::SO_PEEK_OFF as u32,
                ],
            ),
            Call::Clone => Selected::ArgumentHas(0, crate::ptrace::CLONE_UNTRACED),
            Call::Read
            | Call::Readv
            | Call::Preadv2
            | Call::Write
            | Call::Writev
            | Call::Pwritev2
            | Call::Close => Selected::OnChannels,
            Call::Open | Call::Openat | Call::Openat2 | Call::Creat => Selected::WithOpens,
            Call::Rename | Call::Renameat | Call::Renameat2 | Call::Unlink | Call::Unlinkat => {
                Selected::WithFiles
            }
            Call::Link
            | Call::Linkat
            | Call::Symlink
            | Call::Symlinkat
            | Call::Mkdir
            | Call::Mkdirat
            | Call::Rmdir
            | Call::Pwrite64
            | Call::Pwritev
            | Call::Ftruncate
            | Call::Truncate
            | Call::Fallocate => Selected::WithWrites,
            _ => Selected::Always,
        }
    }

    /// True if the call writes bytes of the program's memory to its first argument.
    pub const fn writes(self) -> bool {
        matches!(self, Call::Write | Call::Writev | Call::Pwritev2 | Call::Pwrite64 | Call::Pwritev)
    }

    /// Calls that are answered ENOSYS, because messages sent through them would be invisible.
    pub const fn denied(self) -> bool {
        matches!(
            self,
            Call::IoUringSetup
                | Call::IoUringEnter
                | Call::IoUringRegister
                | Call::IoSetup
                | Call::IoSubmit
        )
    }
}

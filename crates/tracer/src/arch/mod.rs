//! What differs between processor architectures: call numbers, and how a call is answered in
//! place of the kernel. Arguments and results come from `PTRACE_GET_SYSCALL_INFO`, which is the
//! same everywhere.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::*;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the tracer knows the system calls of x86-64 and aarch64 only");

/// The calls whose numbers have the same name on every architecture.
macro_rules! common_calls {
    () => {
        [
            (libc::SYS_read, Call::Read),
            (libc::SYS_write, Call::Write),
            (libc::SYS_readv, Call::Readv),
            (libc::SYS_writev, Call::Writev),
            (libc::SYS_preadv2, Call::Preadv2),
            (libc::SYS_pwritev2, Call::Pwritev2),
            (libc::SYS_sendto, Call::Sendto),
            (libc::SYS_recvfrom, Call::Recvfrom),
            (libc::SYS_sendmsg, Call::Sendmsg),
            (libc::SYS_recvmsg, Call::Recvmsg),
            (libc::SYS_sendmmsg, Call::Sendmmsg),
            (libc::SYS_recvmmsg, Call::Recvmmsg),
            (libc::SYS_sendfile, Call::Sendfile),
            (libc::SYS_splice, Call::Splice),
            (libc::SYS_tee, Call::Tee),
            (libc::SYS_vmsplice, Call::Vmsplice),
            (libc::SYS_socket, Call::Socket),
            (libc::SYS_socketpair, Call::Socketpair),
            (libc::SYS_pipe2, Call::Pipe2),
            (libc::SYS_bind, Call::Bind),
            (libc::SYS_connect, Call::Connect),
            (libc::SYS_listen, Call::Listen),
            (libc::SYS_accept, Call::Accept),
            (libc::SYS_accept4, Call::Accept4),
            (libc::SYS_shutdown, Call::Shutdown),
            (libc::SYS_close, Call::Close),
            (libc::SYS_close_range, Call::CloseRange),
            (libc::SYS_dup, Call::Dup),
            (libc::SYS_dup3, Call::Dup3),
            (libc::SYS_pidfd_getfd, Call::PidfdGetfd),
            (libc::SYS_fcntl, Call::Fcntl),
            (libc::SYS_setsockopt, Call::Setsockopt),
            (libc::SYS_fsync, Call::Fsync),
            (libc::SYS_fdatasync, Call::Fdatasync),
            (libc::SYS_sync_file_range, Call::SyncFileRange),
            (libc::SYS_msync, Call::Msync),
            (libc::SYS_sync, Call::Sync),
            (libc::SYS_syncfs, Call::Syncfs),
            (libc::SYS_openat, Call::Openat),
            (libc::SYS_openat2, Call::Openat2),
            (libc::SYS_renameat, Call::Renameat),
            (libc::SYS_renameat2, Call::Renameat2),
            (libc::SYS_unlinkat, Call::Unlinkat),
            (libc::SYS_linkat, Call::Linkat),
            (libc::SYS_symlinkat, Call::Symlinkat),
            (libc::SYS_mkdirat, Call::Mkdirat),
            (libc::SYS_pwrite64, Call::Pwrite64),
            (libc::SYS_pwritev, Call::Pwritev),
            (libc::SYS_ftruncate, Call::Ftruncate),
            (libc::SYS_truncate, Call::Truncate),
            (libc::SYS_fallocate, Call::Fallocate),
            (libc::SYS_wait4, Call::Wait4),
            (libc::SYS_waitid, Call::Waitid),
            (libc::SYS_clone, Call::Clone),
            (libc::SYS_clone3, Call::Clone3),
            (libc::SYS_io_uring_setup, Call::IoUringSetup),
            (libc::SYS_io_uring_enter, Call::IoUringEnter),
            (libc::SYS_io_uring_register, Call::IoUringRegister),
            (libc::SYS_io_setup, Call::IoSetup),
            (libc::SYS_io_submit, Call::IoSubmit),
        ]
    };
}
pub(crate) use common_calls;

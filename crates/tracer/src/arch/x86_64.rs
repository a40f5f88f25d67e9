//! x86-64. The 32-bit entry (`int 0x80`) and the x32 numbers are answered ENOSYS by the tracer.

use std::mem::offset_of;

use crate::call::Call;
use crate::ptrace::{PtraceError, Stopped};

/// `AUDIT_ARCH_X86_64`, as the filter sees it.
pub(crate) const AUDIT_ARCH: u32 = 0xC000_003E;

/// Numbers from here on belong to another calling convention (x32).
pub(crate) const FOREIGN_NUMBERS_FROM: u32 = 0x4000_0000;

/// Where the memory of a process ends. (With five levels of page tables it can go on behind that,
/// in programs that ask for it.)
pub(crate) const MEMORY_END: u64 = (1 << 47) - 4096;

/// Call numbers of this architecture.
pub(crate) fn calls() -> Vec<(i64, Call)> {
    let mut calls = super::common_calls!().to_vec();
    calls.extend([
        (libc::SYS_pipe, Call::Pipe),
        (libc::SYS_dup2, Call::Dup2),
        (libc::SYS_open, Call::Open),
        (libc::SYS_creat, Call::Creat),
        (libc::SYS_rename, Call::Rename),
        (libc::SYS_unlink, Call::Unlink),
        (libc::SYS_link, Call::Link),
        (libc::SYS_symlink, Call::Symlink),
        (libc::SYS_mkdir, Call::Mkdir),
        (libc::SYS_rmdir, Call::Rmdir),
    ]);
    calls
}

/// Makes the kernel skip the call the thread is stopped in; the program sees `result`
/// (a negative errno, or a forged success).
pub(crate) fn answer(stopped: &Stopped, result: i64) -> Result<(), PtraceError> {
    stopped.poke_register(offset_of!(libc::user_regs_struct, orig_rax), u64::MAX)?;
    stopped.poke_register(offset_of!(libc::user_regs_struct, rax), result as u64)
}

/// Prepares registers at the exit of a call so that the thread makes another when it is resumed:
/// the instruction before the current one is `syscall`.
pub(crate) fn prepare_call(
    registers: &mut libc::user_regs_struct,
    number: i64,
    arguments: [u64; 6],
) {
    registers.rip -= 2;
    registers.rax = number as u64;
    let [first, second, third, fourth, fifth, sixth] = arguments;
    registers.rdi = first;
    registers.rsi = second;
    registers.rdx = third;
    registers.r10 = fourth;
    registers.r8 = fifth;
    registers.r9 = sixth;
}

/// Replaces an argument of the call the thread is about to make.
pub(crate) fn set_argument(stopped: &Stopped, index: usize, value: u64) -> Result<(), PtraceError> {
    let mut registers = stopped.registers()?;
    let argument = match index {
        0 => &mut registers.rdi,
        1 => &mut registers.rsi,
        2 => &mut registers.rdx,
        3 => &mut registers.r10,
        4 => &mut registers.r8,
        _ => &mut registers.r9,
    };
    *argument = value;
    stopped.set_registers(&registers)
}

/// Replaces the call the thread is about to make.
pub(crate) fn set_number(stopped: &Stopped, number: i64) -> Result<(), PtraceError> {
    let mut registers = stopped.registers()?;
    registers.orig_rax = number as u64;
    stopped.set_registers(&registers)
}

/// Replaces the result of the call the thread has just made.
pub(crate) fn set_result(stopped: &Stopped, result: i64) -> Result<(), PtraceError> {
    let mut registers = stopped.registers()?;
    registers.rax = result as u64;
    stopped.set_registers(&registers)
}

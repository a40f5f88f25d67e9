//! aarch64. 32-bit programs are answered ENOSYS by the tracer.

use crate::call::Call;
use crate::ptrace::{PtraceError, Stopped};

/// `AUDIT_ARCH_AARCH64`, as the filter sees it.
pub(crate) const AUDIT_ARCH: u32 = 0xC000_00B7;

/// No second calling convention shares this architecture's numbers.
pub(crate) const FOREIGN_NUMBERS_FROM: u32 = 0x4000_0000;

/// `NT_ARM_SYSCALL`: the register set that holds the number of the current call.
const NT_ARM_SYSCALL: i32 = 0x404;

/// Where the memory of a process ends, unless it asks for more.
pub(crate) const MEMORY_END: u64 = 1 << 48;

/// Call numbers of this architecture.
pub(crate) fn calls() -> Vec<(i64, Call)> {
    super::common_calls!().to_vec()
}

/// Makes the kernel skip the call the thread is stopped in; the program sees `result`
/// (a negative errno, or a forged success).
pub(crate) fn answer(stopped: &Stopped, result: i64) -> Result<(), PtraceError> {
    let mut registers = stopped.registers()?;
    registers.regs[0] = result as u64;
    stopped.set_registers(&registers)?;
    stopped.set_register_set(NT_ARM_SYSCALL, &(-1_i32).to_ne_bytes())
}

/// Prepares registers at the exit of a call so that the thread makes another when it is resumed:
/// the instruction before the current one is `svc`.
pub(crate) fn prepare_call(
    registers: &mut libc::user_regs_struct,
    number: i64,
    arguments: [u64; 6],
) {
    registers.pc -= 4;
    registers.regs[8] = number as u64;
    registers.regs[..6].copy_from_slice(&arguments);
}

/// Replaces an argument of the call the thread is about to make.
pub(crate) fn set_argument(stopped: &Stopped, index: usize, value: u64) -> Result<(), PtraceError> {
    let mut registers = stopped.registers()?;
    registers.regs[index] = value;
    stopped.set_registers(&registers)
}

/// Replaces the call the thread is about to make.
pub(crate) fn set_number(stopped: &Stopped, number: i64) -> Result<(), PtraceError> {
    stopped.set_register_set(NT_ARM_SYSCALL, &(number as i32).to_ne_bytes())
}

/// Replaces the result of the call the thread has just made.
pub(crate) fn set_result(stopped: &Stopped, result: i64) -> Result<(), PtraceError> {
    let mut registers = stopped.registers()?;
    registers.regs[0] = result as u64;
    stopped.set_registers(&registers)
}

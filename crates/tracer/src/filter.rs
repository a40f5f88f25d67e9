//! The seccomp filter a traced program runs under: it stops at the calls of [`Call`] and lets
//! everything else run at full speed.

use crate::arch;
use crate::call::{Call, Selected};

/// The data of a stop in a call of another calling convention (32-bit, x32).
pub(crate) const FOREIGN: u16 = u16::MAX;

const RET_ALLOW: u32 = 0x7fff_0000;
const RET_TRACE: u32 = 0x7ff0_0000;
// Offsets in struct seccomp_data.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

fn jump(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code: (libc::BPF_JMP | code | libc::BPF_K) as u16, jt, jf, k }
}

fn load(offset: u32) -> libc::sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset)
}

fn give(value: u32) -> libc::sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, value)
}

/// Offset of the low half of an argument (both architectures are little-endian).
fn argument(index: u8) -> u32 {
    ARGUMENTS + 8 * u32::from(index)
}

/// Builds the program. `files`: stop at open, rename and unlink too.
pub(crate) fn program(files: bool) -> Vec<libc::sock_filter> {
    let mut program = vec![
        load(ARCHITECTURE),
        jump(libc::BPF_JEQ, arch::AUDIT_ARCH, 1, 0),
        give(RET_TRACE | u32::from(FOREIGN)),
        load(NUMBER),
        jump(libc::BPF_JGE, arch::FOREIGN_NUMBERS_FROM, 0, 1),
        give(RET_TRACE | u32::from(FOREIGN)),
    ];
    for (number, call) in arch::calls() {
        let trace = give(RET_TRACE | u32::from(call as u16));
        let number = number as u32;
        match call.selected() {
            Selected::WithFiles if !files => {}
            Selected::Always | Selected::WithFiles => {
                program.push(jump(libc::BPF_JEQ, number, 0, 1));
                program.push(trace);
            }
            Selected::ArgumentIs(index, values) => {
                let count = values.len() as u8;
                program.push(jump(libc::BPF_JEQ, number, 0, count + 3));
                program.push(load(argument(index)));
                for (position, value) in values.iter().enumerate() {
                    program.push(jump(libc::BPF_JEQ, *value, count - position as u8, 0));
                }
                program.push(give(RET_ALLOW));
                program.push(trace);
            }
            Selected::ArgumentHas(index, bits) => {
                program.push(jump(libc::BPF_JEQ, number, 0, 4));
                program.push(load(argument(index)));
                program.push(jump(libc::BPF_JSET, bits, 1, 0));
                program.push(give(RET_ALLOW));
                program.push(trace);
            }
        }
    }
    program.push(give(RET_ALLOW));
    program
}

/// Installs `program` on the calling thread. Async-signal-safe: runs between fork and exec.
pub(crate) fn install(program: &[libc::sock_filter]) -> std::io::Result<()> {
    let header =
        libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    let set = || {
        // SAFETY: `header` points to a live program of the stated length; the kernel only reads it.
        unsafe { libc::syscall(libc::SYS_seccomp, 1_u64, 0_u64, &raw const header) }
    };
    if set() == 0 {
        return Ok(());
    }
    // Without CAP_SYS_ADMIN a filter needs "no new privileges"; set-user-ID programs would not get
    // theirs under a tracer anyway.
    // SAFETY: prctl with plain integers.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 || set() != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

/// Whether a call is selected at all under `files` (for the table in the docs and its test).
pub fn traced(call: Call, files: bool) -> bool {
    files || call.selected() != Selected::WithFiles
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tiny interpreter of classic BPF, enough for our own programs.
    fn run(
        program: &[libc::sock_filter],
        number: u32,
        architecture: u32,
        arguments: [u32; 6],
    ) -> u32 {
        let mut accumulator = 0;
        let mut at = 0;
        loop {
            let step = program[at];
            at += 1;
            match u32::from(step.code) & 0x07 {
                libc::BPF_LD => {
                    accumulator = match step.k {
                        NUMBER => number,
                        ARCHITECTURE => architecture,
                        other => arguments[((other - ARGUMENTS) / 8) as usize],
                    }
                }
                libc::BPF_JMP => {
                    let taken = match u32::from(step.code) & 0xf0 {
                        libc::BPF_JEQ => accumulator == step.k,
                        libc::BPF_JGE => accumulator >= step.k,
                        libc::BPF_JSET => accumulator & step.k != 0,
                        other => panic!("jump {other:#x}"),
                    };
                    at += usize::from(if taken { step.jt } else { step.jf });
                }
                libc::BPF_RET => return step.k,
                other => panic!("code {other:#x}"),
            }
        }
    }

    #[test]
    fn every_selected_call_stops_with_its_identifier_and_others_run() {
        for files in [false, true] {
            let program = program(files);
            for (number, call) in arch::calls() {
                let mut arguments = [0; 6];
                let condition = call.selected();
                if let Selected::ArgumentHas(index, bits) = condition {
                    arguments[usize::from(index)] = bits;
                }
                let expected = if traced(call, files) {
                    RET_TRACE | u32::from(call as u16)
                } else {
                    RET_ALLOW
                };
                assert_eq!(run(&program, number as u32, arch::AUDIT_ARCH, arguments), expected);
            }
            for number in [libc::SYS_getpid, libc::SYS_futex, libc::SYS_mmap, libc::SYS_execve] {
                assert_eq!(run(&program, number as u32, arch::AUDIT_ARCH, [0; 6]), RET_ALLOW);
            }
        }
    }

    #[test]
    fn arguments_decide_for_fcntl_and_clone() {
        let program = program(false);
        let fcntl = |command| {
            run(&program, libc::SYS_fcntl as u32, arch::AUDIT_ARCH, [3, command, 0, 0, 0, 0])
        };
        let stop = RET_TRACE | u32::from(Call::Fcntl as u16);
        assert_eq!([0, 1, 3, 1030].map(fcntl), [stop, RET_ALLOW, RET_ALLOW, stop]);
        let plain = run(&program, libc::SYS_clone as u32, arch::AUDIT_ARCH, [0x11, 0, 0, 0, 0, 0]);
        assert_eq!(plain, RET_ALLOW);
    }

    #[test]
    fn other_calling_conventions_stop_as_foreign() {
        let program = program(false);
        let foreign = RET_TRACE | u32::from(FOREIGN);
        assert_eq!(run(&program, 1, 0x4000_0003, [0; 6]), foreign);
        assert_eq!(run(&program, 0x4000_0001, arch::AUDIT_ARCH, [0; 6]), foreign);
    }
}

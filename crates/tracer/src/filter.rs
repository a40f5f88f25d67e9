//! The seccomp filter a traced program runs under: it stops at the calls of `Call` and lets
//! everything else run at full speed.

use crate::Options;
use crate::arch;
use crate::call::Selected;

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

/// Builds the first program. `channels`: the descriptors that carry messages from the start.
pub(crate) fn program(options: &Options, channels: &[i32]) -> Vec<libc::sock_filter> {
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
            Selected::WithFiles if !options.files && !options.writes => {}
            Selected::WithOpens if !options.files && !options.writes && !options.fifos => {}
            Selected::WithWrites if !options.writes => {}
            Selected::OnChannels if options.narrow && !(options.writes && call.writes()) => {
                for channel in channels {
                    program.extend(on_range(number, *channel, *channel, trace));
                }
            }
            Selected::Always
            | Selected::WithFiles
            | Selected::WithOpens
            | Selected::WithWrites
            | Selected::OnChannels => {
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

/// Traces call `number` on descriptors from `first` to `last`. Loads the number anew after.
fn on_range(
    number: u32,
    first: i32,
    last: i32,
    trace: libc::sock_filter,
) -> [libc::sock_filter; 6] {
    [
        jump(libc::BPF_JEQ, number, 0, 5),
        load(argument(0)),
        jump(libc::BPF_JGE, first as u32, 0, 2),
        jump(libc::BPF_JGT, last as u32, 1, 0),
        trace,
        load(NUMBER),
    ]
}

/// A further program for a process in which descriptors of this range became channels.
pub(crate) fn range_program(first: i32, last: i32) -> Vec<libc::sock_filter> {
    let mut program = vec![
        load(ARCHITECTURE),
        jump(libc::BPF_JEQ, arch::AUDIT_ARCH, 1, 0),
        give(RET_ALLOW), // the first program answers these
        load(NUMBER),
    ];
    for (number, call) in arch::calls() {
        if call.selected() == Selected::OnChannels {
            let trace = give(RET_TRACE | u32::from(call as u16));
            program.extend(on_range(number as u32, first, last, trace));
        }
    }
    program.push(give(RET_ALLOW));
    program
}

/// A program as the kernel reads it: an array of struct sock_filter.
pub(crate) fn bytes(program: &[libc::sock_filter]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 * program.len());
    for instruction in program {
        bytes.extend(instruction.code.to_ne_bytes());
        bytes.extend([instruction.jt, instruction.jf]);
        bytes.extend(instruction.k.to_ne_bytes());
    }
    bytes
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;

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
                        libc::BPF_JGT => accumulator > step.k,
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

    fn options(files: bool, fifos: bool, narrow: bool) -> Options {
        Options { files, fifos, narrow, ..Options::default() }
    }

    fn stop(call: Call) -> u32 {
        RET_TRACE | u32::from(call as u16)
    }

    #[test]
    fn every_selected_call_stops_with_its_identifier_and_others_run() {
        for (files, fifos) in [(false, false), (false, true), (true, false)] {
            let program = program(&options(files, fifos, false), &[]);
            for (number, call) in arch::calls() {
                let mut arguments = [0; 6];
                let selected = match call.selected() {
                    Selected::ArgumentHas(index, bits) => {
                        arguments[usize::from(index)] = bits;
                        true
                    }
                    Selected::ArgumentIs(index, values) => {
                        arguments[usize::from(index)] = values[values.len() - 1];
                        true
                    }
                    Selected::WithFiles => files,
                    Selected::WithOpens => files || fifos,
                    Selected::WithWrites => false,
                    _ => true,
                };
                let expected = if selected { stop(call) } else { RET_ALLOW };
                assert_eq!(run(&program, number as u32, arch::AUDIT_ARCH, arguments), expected);
            }
            for number in [libc::SYS_getpid, libc::SYS_futex, libc::SYS_mmap, libc::SYS_execve] {
                assert_eq!(run(&program, number as u32, arch::AUDIT_ARCH, [0; 6]), RET_ALLOW);
            }
        }
    }

    #[test]
    fn narrow_filters_stop_on_channels_only() {
        let first = program(&options(false, false, true), &[0, 7]);
        let added = range_program(10, 20);
        for (number, call) in arch::calls() {
            if call.selected() != Selected::OnChannels {
                continue;
            }
            let on = |program: &[libc::sock_filter], descriptor| {
                run(program, number as u32, arch::AUDIT_ARCH, [descriptor, 0, 0, 0, 0, 0])
            };
            assert_eq!(
                [0, 1, 6, 7, 8, u32::MAX].map(|descriptor| on(&first, descriptor)),
                [stop(call), RET_ALLOW, RET_ALLOW, stop(call), RET_ALLOW, RET_ALLOW]
            );
            assert_eq!(
                [9, 10, 15, 20, 21].map(|descriptor| on(&added, descriptor)),
                [RET_ALLOW, stop(call), stop(call), stop(call), RET_ALLOW]
            );
        }
        assert_eq!(run(&added, libc::SYS_getpid as u32, arch::AUDIT_ARCH, [10; 6]), RET_ALLOW);
    }

    #[test]
    fn writes_stop_on_every_descriptor_where_they_were_asked_for() {
        let asked = Options { writes: true, ..Options::default() };
        let program = program(&asked, &[]);
        for (number, call) in arch::calls() {
            let stops = run(&program, number as u32, arch::AUDIT_ARCH, [7, 0, 0, 0, 0, 0]);
            let changes = matches!(call.selected(), Selected::WithWrites | Selected::WithFiles);
            if call.writes() || changes {
                assert_eq!(stops, stop(call), "{}", call.name());
            } else if call.selected() == Selected::OnChannels {
                assert_eq!(stops, RET_ALLOW, "{}", call.name());
            }
        }
    }

    #[test]
    fn arguments_decide_for_fcntl_and_clone() {
        let program = program(&Options::default(), &[]);
        let fcntl = |command| {
            run(&program, libc::SYS_fcntl as u32, arch::AUDIT_ARCH, [3, command, 0, 0, 0, 0])
        };
        let stops = stop(Call::Fcntl);
        assert_eq!([0, 1, 3, 1030].map(fcntl), [stops, RET_ALLOW, RET_ALLOW, stops]);
        let plain = run(&program, libc::SYS_clone as u32, arch::AUDIT_ARCH, [0x11, 0, 0, 0, 0, 0]);
        assert_eq!(plain, RET_ALLOW);
    }

    #[test]
    fn other_calling_conventions_stop_as_foreign() {
        let program = program(&Options::default(), &[]);
        let foreign = RET_TRACE | u32::from(FOREIGN);
        assert_eq!(run(&program, 1, 0x4000_0003, [0; 6]), foreign);
        assert_eq!(run(&program, 0x4000_0001, arch::AUDIT_ARCH, [0; 6]), foreign);
    }
}

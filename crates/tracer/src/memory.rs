//! Reading the memory of a traced process.

use std::io;

/// Most parts of one vectored message (IOV_MAX).
const PARTS_MAX: u64 = 1024;

/// A part of a message in the memory of the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) address: u64,
    pub(crate) length: u64,
}

/// Bytes of all parts together. Programs can ask for more than there are numbers for; the kernel
/// refuses that.
pub(crate) fn total(parts: &[Part]) -> u64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.length))
}

/// struct msghdr, as the 64-bit kernel reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageHeader {
    pub(crate) name: u64,
    pub(crate) name_length: u32,
    pub(crate) parts: u64,
    pub(crate) part_count: u64,
    pub(crate) control: u64,
    pub(crate) control_length: u64,
    pub(crate) flags: i32,
}

/// Bytes struct msghdr takes; in struct mmsghdr a u32 with the length follows, padded to 64.
pub(crate) const MESSAGE_HEADER_SIZE: u64 = 56;
pub(crate) const MULTI_HEADER_SIZE: u64 = 64;

/// Reads up to `length` bytes at `address`: fewer if the memory ends before.
pub(crate) fn read(process: i32, address: u64, length: usize) -> io::Result<Vec<u8>> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let mut bytes = vec![0; length];
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: length };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: length };
    // SAFETY: the kernel writes at most `length` bytes to `bytes`; the remote address is checked by it.
    let count =
        unsafe { libc::process_vm_readv(process, &raw const local, 1, &raw const remote, 1, 0) };
    if count < 0 {
        return Err(io::Error::last_os_error());
    }
    bytes.truncate(count as usize);
    Ok(bytes)
}

/// Writes all of `bytes` at `address`.
pub(crate) fn write(process: i32, address: u64, bytes: &[u8]) -> io::Result<()> {
    let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes.len() };
    // SAFETY: the kernel only reads `bytes`; the remote address is checked by it.
    let count =
        unsafe { libc::process_vm_writev(process, &raw const local, 1, &raw const remote, 1, 0) };
    match usize::try_from(count) {
        Ok(count) if count == bytes.len() => Ok(()),
        Ok(_) => Err(io::Error::from_raw_os_error(libc::EFAULT)),
        Err(_) => Err(io::Error::last_os_error()),
    }
}

/// Reads exactly `N` bytes.
pub(crate) fn read_array<const N: usize>(process: i32, address: u64) -> io::Result<[u8; N]> {
    let bytes = read(process, address, N)?;
    bytes.try_into().map_err(|_| io::Error::from_raw_os_error(libc::EFAULT))
}

pub(crate) fn read_u32(process: i32, address: u64) -> io::Result<u32> {
    read_array(process, address).map(u32::from_ne_bytes)
}

pub(crate) fn read_i32(process: i32, address: u64) -> io::Result<i32> {
    read_array(process, address).map(i32::from_ne_bytes)
}

pub(crate) fn read_u64(process: i32, address: u64) -> io::Result<u64> {
    read_array(process, address).map(u64::from_ne_bytes)
}

/// Reads a string up to its NUL byte, or `limit` bytes. Page by page: the next may be unmapped.
pub(crate) fn read_string(process: i32, address: u64, limit: usize) -> io::Result<Vec<u8>> {
    let mut string = Vec::new();
    let mut at = address;
    while string.len() < limit {
        let until_page_end = 4096 - (at % 4096) as usize;
        let chunk = read(process, at, until_page_end.min(limit - string.len()).min(256))?;
        if let Some(end) = chunk.iter().position(|byte| *byte == 0) {
            string.extend_from_slice(&chunk[..end]);
            return Ok(string);
        }
        if chunk.is_empty() {
            break;
        }
        at += chunk.len() as u64;
        string.extend(chunk);
    }
    Ok(string)
}

/// Reads an array of struct iovec.
pub(crate) fn read_parts(process: i32, address: u64, count: u64) -> io::Result<Vec<Part>> {
    let bytes = read(process, address, (count.min(PARTS_MAX) * 16) as usize)?;
    let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    Ok((0..bytes.len() / 16)
        .map(|index| Part { address: word(16 * index), length: word(16 * index + 8) })
        .collect())
}

/// Reads a struct msghdr.
pub(crate) fn read_header(process: i32, address: u64) -> io::Result<MessageHeader> {
    let bytes: [u8; MESSAGE_HEADER_SIZE as usize] = read_array(process, address)?;
    let word = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let half = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    Ok(MessageHeader {
        name: word(0),
        name_length: half(8),
        parts: word(16),
        part_count: word(24),
        control: word(32),
        control_length: word(40),
        flags: half(48) as i32,
    })
}

/// The descriptors in the control data of a message (SCM_RIGHTS), as the process numbers them.
pub(crate) fn passed_descriptors(process: i32, header: &MessageHeader) -> Vec<i32> {
    const HEADER: usize = 16; // struct cmsghdr: length u64, level i32, kind i32
    const CONTROL_MAX: u64 = 65_536;
    let mut descriptors = Vec::new();
    if header.control == 0 || header.control_length < HEADER as u64 {
        return descriptors;
    }
    let length = header.control_length.min(CONTROL_MAX) as usize;
    let Ok(control) = read(process, header.control, length) else { return descriptors };
    let half = |at: usize| i32::from_ne_bytes(control[at..at + 4].try_into().expect("four bytes"));
    let mut at = 0;
    while at + HEADER <= control.len() {
        let length = u64::from_ne_bytes(control[at..at + 8].try_into().expect("eight bytes"));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(data) = control.get(at + HEADER..at.saturating_add(length)) else { break };
        if half(at + 8) == libc::SOL_SOCKET && half(at + 12) == libc::SCM_RIGHTS {
            let numbers = data.chunks_exact(4);
            descriptors.extend(
                numbers.map(|four| i32::from_ne_bytes(four.try_into().expect("four bytes"))),
            );
        }
        at += length.next_multiple_of(8);
    }
    descriptors
}

/// Reads the first `limit` bytes of a message spread over `parts`.
pub(crate) fn gather(process: i32, parts: &[Part], limit: usize) -> Vec<u8> {
    if let [part] = parts {
        let wanted = part.length.min(limit as u64) as usize;
        let all = if wanted == 0 { Ok(Vec::new()) } else { read(process, part.address, wanted) };
        return all.unwrap_or_default();
    }
    let mut bytes = Vec::new();
    for part in parts {
        let wanted = part.length.min((limit - bytes.len()) as u64) as usize;
        if wanted == 0 {
            continue;
        }
        match read(process, part.address, wanted) {
            Ok(chunk) => {
                let complete = chunk.len() == wanted;
                bytes.extend(chunk);
                if !complete {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    bytes
}

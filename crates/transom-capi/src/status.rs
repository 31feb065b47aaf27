//! `NTSTATUS`: how an OVERLAPPED tells what became of its operation.

use transom::Code;

/// `STATUS_PENDING`: the operation goes on.
pub(crate) const PENDING: usize = 0x103;

/// A code that has no status of its own as one: the number in the place where it is looked for.
const OF_CODE: usize = 0xC007_0000;

/// Statuses and the codes they stand for.
const TABLE: [(usize, Code); 12] = [
    (0x0000_0000, Code::SUCCESS),
    // STATUS_BUFFER_OVERFLOW, a warning: there is data.
    (0x8000_0005, Code::MORE_DATA),
    // STATUS_END_OF_FILE, STATUS_ACCESS_DENIED.
    (0xC000_0011, Code::HANDLE_EOF),
    (0xC000_0022, Code::ACCESS_DENIED),
    // STATUS_PIPE_BUSY.
    (0xC000_00AE, Code::PIPE_BUSY),
    // STATUS_PIPE_DISCONNECTED, _CLOSING, _CONNECTED, _LISTENING.
    (0xC000_00B0, Code::PIPE_NOT_CONNECTED),
    (0xC000_00B1, Code::NO_DATA),
    (0xC000_00B2, Code::PIPE_CONNECTED),
    (0xC000_00B3, Code::PIPE_LISTENING),
    // STATUS_CANCELLED, STATUS_PIPE_BROKEN.
    (0xC000_0120, Code::OPERATION_ABORTED),
    (0xC000_014B, Code::BROKEN_PIPE),
    // STATUS_INVALID_PIPE_STATE.
    (0xC000_00AD, Code::BAD_PIPE),
];

/// The status of a code.
pub(crate) fn of(code: Code) -> usize {
    let row = TABLE.iter().find(|(_, known)| *known == code);
    row.map_or(OF_CODE | code.value() as usize & 0xFFFF, |(status, _)| *status)
}

/// The code of a status.
pub(crate) fn code(status: usize) -> Code {
    let status = status & 0xFFFF_FFFF;
    let row = TABLE.iter().find(|(known, _)| *known == status);
    row.map_or(Code::new(status as u32 & 0xFFFF), |(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P47 to P51: what GetOverlappedResult says is what the operation came to.
    #[test]
    fn every_code_survives_the_way_through_an_overlapped() {
        for code in Code::all() {
            assert_eq!(super::code(of(*code)), *code);
            assert_ne!(of(*code), PENDING);
        }
        assert_eq!(code(0xFFFF_FFFF_C000_014B), Code::BROKEN_PIPE);
    }
}

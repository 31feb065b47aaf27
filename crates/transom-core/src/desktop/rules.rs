//! What Windows answers, by the number of the message.

/// Messages whose parameters are pointers that the system knows: they can be sent only (rules 21 and 23).
#[must_use]
pub fn is_synchronous(message: u32) -> bool {
    // WM_CREATE, WM_SETTEXT, WM_GETTEXT, WM_NCCREATE, WM_COPYDATA, and those of the DDE family that carry memory do not
    // belong here: they are posted.
    matches!(message, 0x0001 | 0x000C | 0x000D | 0x0081 | 0x004A)
        // Others with pointers that programs meet: WM_GETMINMAXINFO, WM_DRAWITEM to WM_COMPAREITEM, WM_NCCALCSIZE,
        // WM_WINDOWPOSCHANGING and WM_WINDOWPOSCHANGED, WM_STYLECHANGING and WM_STYLECHANGED, WM_HELP, WM_NOTIFY.
        || matches!(message, 0x0024 | 0x002B | 0x002C | 0x002D | 0x0039 | 0x0083 | 0x0046 | 0x0047 | 0x007C | 0x007D | 0x0053 | 0x004E)
}

/// Whether a message is delivered to all top-level windows when broadcast (rule 38).
#[must_use]
pub fn is_broadcast(message: u32) -> bool {
    !(0x0400..0xC000).contains(&message)
}

/// Whether a message's number lies in the range of a filter; 0, 0 is no filter.
#[must_use]
pub fn in_range(message: u32, first: u32, last: u32) -> bool {
    (first == 0 && last == 0) || (first..=last).contains(&message)
}

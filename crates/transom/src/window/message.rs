//! Numbers of messages and flags, as Windows has them.

/// `WM_NULL`: does nothing; answered by whoever looks at its queue.
pub const WM_NULL: u32 = 0;
/// `WM_CREATE`
pub const WM_CREATE: u32 = 0x0001;
/// `WM_DESTROY`
pub const WM_DESTROY: u32 = 0x0002;
/// `WM_SETTEXT`
pub const WM_SETTEXT: u32 = 0x000C;
/// `WM_GETTEXT`
pub const WM_GETTEXT: u32 = 0x000D;
/// `WM_GETTEXTLENGTH`
pub const WM_GETTEXTLENGTH: u32 = 0x000E;
/// `WM_CLOSE`
pub const WM_CLOSE: u32 = 0x0010;
/// `WM_QUIT`
pub const WM_QUIT: u32 = 0x0012;
/// `WM_COPYDATA`
pub const WM_COPYDATA: u32 = 0x004A;
/// `WM_NCCREATE`
pub const WM_NCCREATE: u32 = 0x0081;
/// `WM_NCDESTROY`
pub const WM_NCDESTROY: u32 = 0x0082;
/// `WM_TIMER`
pub const WM_TIMER: u32 = 0x0113;
/// `WM_USER`: from here on numbers are the program's own.
pub const WM_USER: u32 = 0x0400;
/// `WM_APP`
pub const WM_APP: u32 = 0x8000;

/// `SMTO_NORMAL`
pub const SMTO_NORMAL: u32 = 0;
/// `SMTO_BLOCK`: while waiting, messages sent to this thread wait too.
pub const SMTO_BLOCK: u32 = 1;
/// `SMTO_ABORTIFHUNG`: fails at once if the receiver has not looked at its queue for 5 seconds.
pub const SMTO_ABORTIFHUNG: u32 = 2;
/// `SMTO_NOTIMEOUTIFNOTHUNG`: waits on as long as the receiver is not hung.
pub const SMTO_NOTIMEOUTIFNOTHUNG: u32 = 8;
/// `SMTO_ERRORONEXIT`: fails if the receiver's window is destroyed or its thread ends meanwhile.
pub const SMTO_ERRORONEXIT: u32 = 0x20;

/// `ISMEX_NOSEND`
pub const ISMEX_NOSEND: u32 = 0;
/// `ISMEX_SEND`
pub const ISMEX_SEND: u32 = 1;
/// `ISMEX_NOTIFY`
pub const ISMEX_NOTIFY: u32 = 2;
/// `ISMEX_CALLBACK`
pub const ISMEX_CALLBACK: u32 = 4;
/// `ISMEX_REPLIED`
pub const ISMEX_REPLIED: u32 = 8;

/// `PM_NOREMOVE`
pub const PM_NOREMOVE: u32 = 0;
/// `PM_REMOVE`
pub const PM_REMOVE: u32 = 1;

/// `QS_POSTMESSAGE`
pub const QS_POSTMESSAGE: u32 = 0x0008;
/// `QS_TIMER`
pub const QS_TIMER: u32 = 0x0010;
/// `QS_SENDMESSAGE`
pub const QS_SENDMESSAGE: u32 = 0x0040;
/// `QS_ALLPOSTMESSAGE`
pub const QS_ALLPOSTMESSAGE: u32 = 0x0100;
/// `QS_ALLINPUT`
pub const QS_ALLINPUT: u32 = 0x04FF;

/// `MWMO_WAITALL`
pub const MWMO_WAITALL: u32 = 1;
/// `MWMO_ALERTABLE`
pub const MWMO_ALERTABLE: u32 = 2;
/// `MWMO_INPUTAVAILABLE`
pub const MWMO_INPUTAVAILABLE: u32 = 4;

/// `GWLP_WNDPROC`
pub const GWLP_WNDPROC: i32 = -4;
/// `GWLP_HINSTANCE`
pub const GWLP_HINSTANCE: i32 = -6;
/// `GWLP_HWNDPARENT`
pub const GWLP_HWNDPARENT: i32 = -8;
/// `GWLP_ID`
pub const GWLP_ID: i32 = -12;
/// `GWL_STYLE`
pub const GWL_STYLE: i32 = -16;
/// `GWL_EXSTYLE`
pub const GWL_EXSTYLE: i32 = -20;
/// `GWLP_USERDATA`
pub const GWLP_USERDATA: i32 = -21;

/// `WS_POPUP`
pub const WS_POPUP: u32 = 0x8000_0000;
/// `WS_CHILD`
pub const WS_CHILD: u32 = 0x4000_0000;

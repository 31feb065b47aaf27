/* windef.h: the basic types, under the name that older sources include, and what windows are
 * told by.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. The types are in
 * minwindef.h and winnt.h.
 */
#ifndef TRANSOM_WINDEF_H
#define TRANSOM_WINDEF_H

#include "minwindef.h"
#include "winnt.h"

/* A window, in every process of the desktop: docs/messages.md. */
DECLARE_HANDLE(HWND);

/* Things of a display. They are kept and given back as they are; nothing is drawn. */
DECLARE_HANDLE(HMENU);
DECLARE_HANDLE(HICON);
DECLARE_HANDLE(HBRUSH);
typedef HICON HCURSOR;

typedef struct tagPOINT {
    LONG x;
    LONG y;
} POINT, *PPOINT, *NPPOINT, *LPPOINT;

typedef struct tagRECT {
    LONG left;
    LONG top;
    LONG right;
    LONG bottom;
} RECT, *PRECT, *NPRECT, *LPRECT;
typedef const RECT *LPCRECT;

#endif

/* timezoneapi.h: a moment as a number and taken apart.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface.
 */
#ifndef TRANSOM_TIMEZONEAPI_H
#define TRANSOM_TIMEZONEAPI_H

#include "minwindef.h"
#include "minwinbase.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From one into the other, without a change of place. FALSE with ERROR_INVALID_PARAMETER for a
 * date that does not exist; the day of the week is not looked at. */
TRANSOM_API BOOL WINAPI FileTimeToSystemTime(const FILETIME *lpFileTime, LPSYSTEMTIME lpSystemTime);
TRANSOM_API BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *lpSystemTime, LPFILETIME lpFileTime);

#ifdef __cplusplus
}
#endif

#endif

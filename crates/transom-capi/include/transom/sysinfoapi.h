/* sysinfoapi.h: page size, allocation granularity, processors, and the time since the start.
 *
 * Part of transom's C interface: the names of the Win32 header, for programs on Linux. A
 * name that is in none of these headers is not part of the interface. Offsets and addresses
 * of views are multiples of dwAllocationGranularity (M19 in docs/mapping.md).
 */
#ifndef TRANSOM_SYSINFOAPI_H
#define TRANSOM_SYSINFOAPI_H

#include "minwindef.h"
#include "minwinbase.h"
#include "winnt.h"

__extension__ typedef struct _SYSTEM_INFO {
    __extension__ union {
        DWORD dwOemId;
        __extension__ struct {
            WORD wProcessorArchitecture;
            WORD wReserved;
        } DUMMYSTRUCTNAME;
    } DUMMYUNIONNAME;
    DWORD dwPageSize;
    LPVOID lpMinimumApplicationAddress;
    LPVOID lpMaximumApplicationAddress;
    DWORD_PTR dwActiveProcessorMask;
    DWORD dwNumberOfProcessors;
    DWORD dwProcessorType;
    DWORD dwAllocationGranularity;
    WORD wProcessorLevel;
    WORD wProcessorRevision;
} SYSTEM_INFO, *LPSYSTEM_INFO;

#ifdef __cplusplus
extern "C" {
#endif

/* Fills the record: dwPageSize is the system's, dwAllocationGranularity 65536; the processor
 * mask covers the first 64 processors. GetNativeSystemInfo is the same. Never fail. */
TRANSOM_API void WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo);
TRANSOM_API void WINAPI GetNativeSystemInfo(LPSYSTEM_INFO lpSystemInfo);

/* Milliseconds since the computer started, time asleep included; the first wraps after 49.7
 * days. Exact to the millisecond, where Windows counts in steps of 10 to 16. */
TRANSOM_API DWORD WINAPI GetTickCount(void);
TRANSOM_API ULONGLONG WINAPI GetTickCount64(void);

/* The time of day: at Greenwich, here, and as a number. All are exact to the microsecond or better,
 * as the Precise form is on Windows. */
TRANSOM_API void WINAPI GetSystemTime(LPSYSTEMTIME lpSystemTime);
TRANSOM_API void WINAPI GetLocalTime(LPSYSTEMTIME lpSystemTime);
TRANSOM_API void WINAPI GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime);
TRANSOM_API void WINAPI GetSystemTimePreciseAsFileTime(LPFILETIME lpSystemTimeAsFileTime);

#ifdef __cplusplus
}
#endif

#endif
